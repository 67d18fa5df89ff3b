// Who is signed in changes here. A whole page load leaves nothing of the account before in memory.

export function enter() {
  window.location.assign("/");
}

export function leave(reason?: "signed-out" | "deleted") {
  window.location.assign(reason ? `/sign-in?reason=${reason}` : "/sign-in");
}
