import { authClient } from "@/lib/auth-client";

// The user changes here. A full page load leaves nothing of the previous account in memory.

const STAY_TIMEOUT = 5000; // milliseconds after which the user must have chosen to stay

let leaving = false; // the first reason to leave is the one shown

export function goToTasks() {
  window.location.assign("/");
}

/** Goes to the sign-in page, which shows the reason. Only the first reason counts. */
export function goToSignIn(reason?: "signed-out" | "deleted") {
  if (leaving) return;
  leaving = true;
  window.location.assign(reason ? `/sign-in?reason=${reason}` : "/sign-in");
  // A user with unsaved changes may choose to stay, and no event tells the page so.
  setTimeout(() => {
    leaving = false;
  }, STAY_TIMEOUT);
}

/** Throws if the server does not respond; the session then continues. */
export async function signOut() {
  leaving = true; // other code notices the end of the session too
  const { error } = await authClient.signOut().finally(() => {
    leaving = false;
  });
  if (error) throw new Error(error.message);
  goToSignIn();
}
