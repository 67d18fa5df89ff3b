/** Called once when the server starts, before it answers requests. */
export async function register() {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { migrateOrExit } = await import("@/lib/migrate");
    await migrateOrExit();
  }
}
