// A real Better Auth server, so that the tests meet the tokens, cookies and tables that Better Auth itself makes.
//
//   node server.mjs                  migrate, then serve: prints {"url": …} once it is ready
//   node server.mjs --migrate-only   migrate, then print what was missing: {"created": ["table"],
//                                    "added": ["table.column"], "indexes": ["name"], "warnings": ["text"]}
//
// It serves until SIGTERM, or until standard input closes: start it with a pipe there and keep the other end open.
//
// DATABASE_URL           PostgreSQL; for a Unix socket, postgresql://user@/name?host=/directory
// BETTER_AUTH_SECRET     not needed with --migrate-only
// BETTER_AUTH_URL        base URL: issuer, audience and trusted origin; default: the address it listens on
// PORT                   default: any free port
// PLUGINS                comma-separated, from jwt, bearer and admin; default: all three; empty: none
// TOKEN_ALG              HS256 (default, signed with the secret), EdDSA, ES256, ES512, PS256 or RS256
// JWT_EXPIRATION         such as 2s; default: Better Auth's own
// JWKS_ROTATION_SECONDS  how long a key signs; default: for ever
// PLAIN_PRIVATE_KEYS     if set, private keys are in the table as they are, so that a test can sign with them
// COOKIE_CACHE           compact, jwt, jwe, or jwks (a jwt signed with the key pair); default: no cookie cache

import { once } from "node:events";
import { createServer } from "node:http";

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { admin } from "better-auth/plugins/admin";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";
import { SignJWT } from "jose";
import pg from "pg";

const {
  DATABASE_URL,
  BETTER_AUTH_SECRET,
  BETTER_AUTH_URL,
  PORT = "0",
  PLUGINS = "jwt,bearer,admin",
  TOKEN_ALG = "HS256",
  JWT_EXPIRATION,
  JWKS_ROTATION_SECONDS,
  PLAIN_PRIVATE_KEYS,
  COOKIE_CACHE,
} = process.env;
const migrateOnly = process.argv.includes("--migrate-only");

// node-postgres and Better Auth have defaults for these, which would hide a mistake in a test.
if (!DATABASE_URL) throw new Error("DATABASE_URL is not set");
if (!BETTER_AUTH_SECRET && !migrateOnly) throw new Error("BETTER_AUTH_SECRET is not set");

const ASYMMETRIC = ["EdDSA", "ES256", "ES512", "PS256", "RS256"];

function tokens() {
  if (ASYMMETRIC.includes(TOKEN_ALG)) {
    return jwt({
      jwks: {
        keyPairConfig: { alg: TOKEN_ALG },
        rotationInterval: Number(JWKS_ROTATION_SECONDS) || undefined,
        disablePrivateKeyEncryption: Boolean(PLAIN_PRIVATE_KEYS),
      },
      jwt: { expirationTime: JWT_EXPIRATION || undefined },
      sessionCookieCache: COOKIE_CACHE === "jwks",
    });
  }
  if (TOKEN_ALG !== "HS256") throw new Error(`TOKEN_ALG is ${TOKEN_ALG}, not one of HS256,${ASYMMETRIC}`);

  // The plugin has no switch for HS256. It lets a function sign instead, but only if it is told that the keys are
  // elsewhere: the URL and the algorithm beside it are never used, and it stops publishing keys of its own.
  const secret = new TextEncoder().encode(BETTER_AUTH_SECRET);
  return jwt({
    jwks: { remoteUrl: "https://example.invalid/jwks", keyPairConfig: { alg: "EdDSA" } },
    jwt: {
      expirationTime: JWT_EXPIRATION || undefined,
      sign: (payload, header) =>
        new SignJWT(payload).setProtectedHeader({ typ: "JWT", ...header, alg: "HS256" }).sign(secret),
    },
  });
}

const available = { jwt: tokens, bearer, admin };
const plugins = PLUGINS.split(",")
  .filter(Boolean)
  .map((name) => {
    if (!Object.hasOwn(available, name)) throw new Error(`${name} in PLUGINS is not one of ${Object.keys(available)}`);
    return available[name]();
  });

const pool = new pg.Pool({ connectionString: DATABASE_URL });
// A test may drop the database under a running server. The pool replaces idle connections that were lost; without a
// listener the event would end the process.
pool.on("error", (error) => console.error(error.message));

const warnings = [];
const options = {
  database: pool,
  secret: BETTER_AUTH_SECRET,
  plugins,
  emailAndPassword: { enabled: true },
  user: { deleteUser: { enabled: true } },
  session: { cookieCache: { enabled: Boolean(COOKIE_CACHE), strategy: COOKIE_CACHE === "jwks" ? "jwt" : COOKIE_CACHE || undefined } },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  // Left to itself, Better Auth checks origins unless NODE_ENV or TEST says that it is being tested.
  advanced: { disableOriginCheck: false },
  // Standard output carries only the answer. Warnings are how the migrations report columns of another type.
  logger: { log: (level, ...text) => (level === "warn" ? warnings.push(text.join(" ")) : console.error(...text)) },
};

async function migrate() {
  const { toBeCreated, toBeAdded, toBeAddedIndexes, schemaProblems, runMigrations } = await getMigrations(options);
  await runMigrations();
  return {
    created: toBeCreated.map(({ table }) => table),
    added: toBeAdded.flatMap(({ table, fields }) => Object.keys(fields).map((field) => `${table}.${field}`)),
    indexes: toBeAddedIndexes.map(({ name }) => name),
    warnings: [...warnings, ...schemaProblems],
  };
}

async function serve() {
  await migrate();
  const server = createServer().listen(Number(PORT), "127.0.0.1");
  await once(server, "listening");

  const url = `http://127.0.0.1:${server.address().port}`;
  const auth = betterAuth({ ...options, baseURL: BETTER_AUTH_URL || url });
  server.on("request", toNodeHandler(auth));
  await auth.$context; // Fails here rather than at the first request.

  // Nothing here outlives a test, so there is nothing to finish first. This waits for the end of the start, so that a
  // start which fails says why, whatever became of standard input.
  const stop = () => process.exit(0);
  process.once("SIGTERM", stop);
  process.stdin.once("end", stop).resume();

  console.log(JSON.stringify({ url }));
}

if (migrateOnly) {
  console.log(JSON.stringify(await migrate()));
  await pool.end();
} else {
  await serve();
}
