import { authClient } from "@/lib/auth-client";

// Who is signed in changes here. A whole page load leaves nothing of the account before in memory.

const MOMENT = 5000; // milliseconds

let leaving = false; // for a reason that is said already

export function enter() {
  window.location.assign("/");
}

/** To the page for signing in, which says why one is there. Only the first reason counts. */
export function leave(reason?: "signed-out" | "deleted") {
  if (leaving) return;
  leaving = true;
  window.location.assign(reason ? `/sign-in?reason=${reason}` : "/sign-in");
  // Whoever has something unsaved may choose to stay, of which the page is told nothing.
  setTimeout(() => {
    leaving = false;
  }, MOMENT);
}

/** Throws where the server does not answer, and so the session goes on. */
export async function signOut() {
  leaving = true; // the end of the session is noticed elsewhere, too
  const { error } = await authClient.signOut().finally(() => {
    leaving = false;
  });
  if (error) throw new Error(error.message);
  leave();
}
