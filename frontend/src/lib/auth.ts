import "server-only";

import { betterAuth } from "better-auth";
import { APIError } from "better-auth/api";
import { jwt } from "better-auth/plugins/jwt";
import { SignJWT } from "jose";
import { headers } from "next/headers";
import { Pool } from "pg";
import { cache } from "react";

import { readEnv } from "@/lib/env";

function create() {
  const { databaseUrl, secret, appUrl, algorithm } = readEnv();
  const pool = new Pool({ connectionString: databaseUrl });
  // The pool replaces lost idle connections. Without a listener the event would end the process.
  pool.on("error", (error) => process.stderr.write(`The database closed a connection: ${error.message}\n`));
  const auth = betterAuth({
    appName: "Tasks",
    database: pool,
    secret,
    baseURL: appUrl,
    emailAndPassword: { enabled: true },
    user: { deleteUser: { enabled: true } },
    // Stored in the database, so that all instances of this server share one limit.
    rateLimit: {
      storage: "database",
      // Both need a session, and a limit would lock out users who share an address.
      customRules: { "/get-session": false, "/token": false },
    },
    databaseHooks: { user: { create: { before: checkProfile }, update: { before: checkProfile } } },
    plugins: [algorithm === "HS256" ? jwtFromSecret(secret) : jwt({ jwt: { definePayload } })],
    telemetry: { enabled: false },
  });
  return { auth, pool };
}

/** The API needs only the user's id. By default a token carries the whole profile. */
const definePayload = () => ({});

const MAX_NAME = 100; // characters

/** Enforces what the forms check, for requests that bypass them. */
async function checkProfile({ name, image }: { name?: string | undefined; image?: string | null | undefined }) {
  if (name?.trim() === "") throw new APIError("BAD_REQUEST", { message: "Enter a name." });
  if (name && name.length > MAX_NAME) {
    throw new APIError("BAD_REQUEST", { message: `A name can have at most ${MAX_NAME} characters.` });
  }
  if (image) throw new APIError("BAD_REQUEST", { message: "Profile pictures are not supported." });
}

/**
 * Signs tokens with HS256. The plugin has no option for that, but it lets a function sign if the keys are remote;
 * it never uses the URL and the algorithm given here.
 */
function jwtFromSecret(secret: string) {
  const key = new TextEncoder().encode(secret);
  return jwt({
    jwks: { remoteUrl: "https://example.invalid/jwks", keyPairConfig: { alg: "EdDSA" } },
    jwt: {
      definePayload,
      sign: (payload, header) =>
        new SignJWT(payload).setProtectedHeader({ typ: "JWT", ...header, alg: "HS256" }).sign(key),
    },
  });
}

let created: ReturnType<typeof create> | undefined;

/** Created on first use, because a build has no environment. */
export function server() {
  created ??= create();
  return created;
}

/** The user who sent the current request, if signed in. */
export const currentUser = cache(async () => {
  const request = await headers(); // first, so that Next.js knows that the page depends on the request
  // A page cannot set cookies. If it renewed the session, the browser's cookie would still expire.
  const session = await server().auth.api.getSession({ headers: request, query: { disableRefresh: true } });
  return session?.user;
});
