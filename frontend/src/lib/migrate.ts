import "server-only";

import { getMigrations } from "better-auth/db/migration";

import { server } from "@/lib/auth";

const LOCK = 7_225_911_563; // any number that no other advisory lock in this database uses

/** Exits with an error if the migration fails, so that a supervisor notices. */
export async function migrateOrExit(): Promise<void> {
  try {
    await migrate();
  } catch (error) {
    process.stderr.write(`The front end cannot start: ${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}

/** Adds what Better Auth's tables lack. Instances that start at the same time take turns. */
async function migrate(): Promise<void> {
  const { auth, pool } = server();
  const client = await pool.connect();
  try {
    // The transaction holds the lock, not the session: a pooler hands sessions to other clients.
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    const { runMigrations } = await getMigrations(auth.options);
    await runMigrations();
    await client.query("COMMIT");
  } finally {
    client.release(true);
  }
}
