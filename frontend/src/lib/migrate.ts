import "server-only";

import { getMigrations } from "better-auth/db/migration";

import { server } from "@/lib/auth";

const LOCK = 7_225_911_563; // any number that nobody else uses for an advisory lock in this database

/** A server that cannot do its work ends and says why, so that whatever watches over it notices. */
export async function migrateOrExit(): Promise<void> {
  try {
    await migrate();
  } catch (error) {
    process.stderr.write(`The front end cannot start: ${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}

/** Add what Better Auth's tables lack. Instances that start together do it one after the other. */
async function migrate(): Promise<void> {
  const { auth, pool } = server();
  const client = await pool.connect();
  try {
    // Held by a transaction and not by the session, because a pooler gives sessions to others.
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    const { runMigrations } = await getMigrations(auth.options);
    await runMigrations();
    await client.query("COMMIT");
  } finally {
    client.release(true);
  }
}
