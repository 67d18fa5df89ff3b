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
  // The pool replaces idle connections that were lost. Without a listener the event would end the process.
  pool.on("error", (error) => process.stderr.write(`The database closed a connection: ${error.message}\n`));
  const auth = betterAuth({
    appName: "Tasks",
    database: pool,
    secret,
    baseURL: appUrl,
    emailAndPassword: { enabled: true },
    user: { deleteUser: { enabled: true } },
    // In the database, so that it holds for all instances of this server together.
    rateLimit: {
      storage: "database",
      // These are worth nothing without a session, and counting them would lock out whoever shares an address.
      customRules: { "/get-session": false, "/token": false },
    },
    databaseHooks: { user: { create: { before: checkProfile }, update: { before: checkProfile } } },
    plugins: [algorithm === "HS256" ? tokensOfSecret(secret) : jwt({ jwt: { definePayload } })],
    telemetry: { enabled: false },
  });
  return { auth, pool };
}

/** The API needs the user's id and nothing else; by itself a token would carry the whole profile. */
const definePayload = () => ({});

const MAX_NAME = 100; // characters

/** What forms refuse is refused here too, where nobody can get past it. */
async function checkProfile({ name, image }: { name?: string | undefined; image?: string | null | undefined }) {
  if (name?.trim() === "") throw new APIError("BAD_REQUEST", { message: "Enter a name." });
  if (name && name.length > MAX_NAME) {
    throw new APIError("BAD_REQUEST", { message: `A name has at most ${MAX_NAME} characters.` });
  }
  if (image) throw new APIError("BAD_REQUEST", { message: "Pictures are not kept here." });
}

/**
 * The plugin has no switch for HS256. It lets a function sign instead, but only if it is told that the keys are
 * elsewhere: the URL and the algorithm beside it are never used.
 */
function tokensOfSecret(secret: string) {
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

/** Made at the first call: a build has no environment. */
export function server() {
  created ??= create();
  return created;
}

/** Who sent the request that is being answered, if anybody is signed in. */
export const currentUser = cache(async () => {
  const request = await headers(); // first: by this Next.js knows that the page depends on the request
  // A page cannot set cookies: were the session renewed here, the browser's cookie would end without it.
  const session = await server().auth.api.getSession({ headers: request, query: { disableRefresh: true } });
  return session?.user;
});
