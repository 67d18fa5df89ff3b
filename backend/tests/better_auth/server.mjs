// Real Better Auth servers, so that the tests meet the tokens, cookies and tables that Better Auth itself makes.
//
// One process serves any number of configurations, because loading Better Auth takes longer than starting a server.
// It reads requests from standard input, one JSON object a line, and answers each with one line of JSON:
//
//   {"serve": {…}}    migrates the database and starts a server; answers {"url": "http://…"} once it is ready
//   {"stop": "url"}   stops that server and answers {}; its connections are cut
//   {"migrate": {…}}  only migrates; answers what was missing: {"created": ["table"], "added": ["table.column"],
//                     "indexes": ["name"], "warnings": ["text"]}
//
// A request that fails is answered with {"error": "why"}. The process ends when standard input closes.
//
// A configuration has these members; all but the first are optional:
//
// databaseUrl          PostgreSQL; for a Unix socket, postgresql://user@/name?host=/directory
// secret               needed to serve
// port                 default: any free port
// plugins              some of "jwt", "bearer" and "admin"; default: the first two
// algorithm            of tokens: HS256 (default, signed with the secret), EdDSA, ES256, ES512, PS256 or RS256
// rotationSeconds      how long a key signs; default: for ever
// plainPrivateKeys     true: private keys are in the table as they are, so that a test can sign with them
// cookieCache          compact, jwt, jwe, or jwks (a jwt signed with the key pair); default: no cookie cache

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { admin } from "better-auth/plugins/admin";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";
import { SignJWT } from "jose";
import pg from "pg";

const ASYMMETRIC = ["EdDSA", "ES256", "ES512", "PS256", "RS256"];

function tokens({ secret, algorithm = "HS256", rotationSeconds, plainPrivateKeys, cookieCache }) {
  if (ASYMMETRIC.includes(algorithm)) {
    return jwt({
      jwks: {
        keyPairConfig: { alg: algorithm },
        rotationInterval: rotationSeconds,
        disablePrivateKeyEncryption: Boolean(plainPrivateKeys),
      },
      sessionCookieCache: cookieCache === "jwks",
    });
  }
  if (algorithm !== "HS256") throw new Error(`algorithm is ${algorithm}, not one of HS256,${ASYMMETRIC}`);

  // The plugin has no switch for HS256. It lets a function sign instead, but only if it is told that the keys are
  // elsewhere: the URL and the algorithm beside it are never used, and it stops publishing keys of its own.
  const key = new TextEncoder().encode(secret);
  return jwt({
    jwks: { remoteUrl: "https://example.invalid/jwks", keyPairConfig: { alg: "EdDSA" } },
    jwt: {
      sign: (payload, header) =>
        new SignJWT(payload).setProtectedHeader({ typ: "JWT", ...header, alg: "HS256" }).sign(key),
    },
  });
}

// Better Auth makes this take a tenth of a second on purpose, and the tests sign up often. None is about passwords.
const digest = (password) => createHash("sha256").update(password).digest("hex");
const PASSWORDS = {
  hash: async (password) => digest(password),
  verify: async ({ hash, password }) => hash === digest(password),
};

const AVAILABLE = { jwt: tokens, bearer, admin };

function open(configuration) {
  const { databaseUrl, secret, plugins = ["jwt", "bearer"], cookieCache } = configuration;
  // node-postgres has a default for it, which would hide a mistake in a test.
  if (!databaseUrl) throw new Error("databaseUrl is not set");
  const pool = new pg.Pool({ connectionString: databaseUrl });
  // A test may drop the database under a running server. The pool replaces idle connections that were lost; without a
  // listener the event would end the process.
  pool.on("error", (error) => console.error(error.message));

  const warnings = [];
  const options = {
    database: pool,
    secret,
    plugins: plugins.map((name) => {
      if (!Object.hasOwn(AVAILABLE, name)) throw new Error(`${name} is not one of ${Object.keys(AVAILABLE)}`);
      return AVAILABLE[name](configuration);
    }),
    emailAndPassword: { enabled: true, password: PASSWORDS },
    user: { deleteUser: { enabled: true } },
    session: { cookieCache: { enabled: Boolean(cookieCache), strategy: cookieCache === "jwks" ? "jwt" : cookieCache } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // Left to itself, Better Auth checks origins unless NODE_ENV or TEST says that it is being tested.
    advanced: { disableOriginCheck: false },
    // Standard output carries only answers. Warnings are how the migrations report columns of another type.
    logger: { log: (level, ...text) => (level === "warn" ? warnings.push(text.join(" ")) : console.error(...text)) },
  };
  return { pool, options, warnings };
}

async function migrate({ options, warnings }) {
  const { toBeCreated, toBeAdded, toBeAddedIndexes, schemaProblems, runMigrations } = await getMigrations(options);
  await runMigrations();
  return {
    created: toBeCreated.map(({ table }) => table),
    added: toBeAdded.flatMap(({ table, fields }) => Object.keys(fields).map((field) => `${table}.${field}`)),
    indexes: toBeAddedIndexes.map(({ name }) => name),
    warnings: [...warnings, ...schemaProblems],
  };
}

const servers = new Map(); // what stops each, by its URL

async function serve(configuration) {
  // Better Auth has a default for it.
  if (!configuration.secret) throw new Error("secret is not set");
  const opened = open(configuration);
  await migrate(opened);
  const server = createServer().listen(configuration.port ?? 0, "127.0.0.1");
  await once(server, "listening");

  const url = `http://127.0.0.1:${server.address().port}`;
  const auth = betterAuth({ ...opened.options, baseURL: url });
  server.on("request", toNodeHandler(auth));
  await auth.$context; // Fails here rather than at the first request.
  servers.set(url, { server, pool: opened.pool });
  return { url };
}

async function stop(url) {
  const { server, pool } = servers.get(url);
  servers.delete(url);
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
  await pool.end();
  return {};
}

async function migrateOnly(configuration) {
  const opened = open(configuration);
  const missing = await migrate(opened);
  await opened.pool.end();
  return missing;
}

const REQUESTS = { serve, stop, migrate: migrateOnly };

for await (const line of createInterface({ input: process.stdin })) {
  const [[name, argument]] = Object.entries(JSON.parse(line));
  const answer = await REQUESTS[name](argument).catch((error) => ({ error: error.stack }));
  console.log(JSON.stringify(answer));
}
process.exit(0);
