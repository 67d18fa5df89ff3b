import { afterEach, expect, test, vi } from "vitest";

const fetch = vi.fn<typeof globalThis.fetch>();
vi.stubGlobal("fetch", fetch);
vi.stubEnv("NEXT_PUBLIC_AUTH_URL", "http://localhost:3000/api/auth"); // a browser knows where it is

const { issueToken } = await import("@/lib/auth-client");

afterEach(() => vi.restoreAllMocks());

test("a token comes out of its answer", async () => {
  fetch.mockResolvedValue(Response.json({ token: "e30.e30.signature" }));

  await expect(issueToken()).resolves.toBe("e30.e30.signature");
});

test("an answer that does not come counts as none after a while", async () => {
  const over = AbortSignal.abort();
  const patience = vi.spyOn(AbortSignal, "timeout").mockReturnValue(over);
  fetch.mockImplementation(async (_, init) => {
    if (init?.signal === over) throw over.reason;
    return Response.json({ token: "that nobody had the time to wait for" });
  });

  await expect(issueToken()).rejects.toMatchObject({ name: "Unreachable" });
  expect(patience).toHaveBeenCalledWith(15_000);
});

test("the page of a network that wants a sign-in is no token", async () => {
  fetch.mockResolvedValue(new Response("<html>", { headers: { "Content-Type": "text/html" } }));

  await expect(issueToken()).rejects.toMatchObject({ name: "Unreachable" });
});

test.each([
  [401, "SignedOut", "You have been signed out. Sign in again to go on."],
  [429, "ApiError", "The task service is busy. Try again in a moment."],
  [500, "ApiError", "The task service failed to answer (500). Try again."],
])("the status %i is said as what it is", async (status, name, message) => {
  fetch.mockResolvedValue(Response.json({ message: "words for developers" }, { status }));

  await expect(issueToken()).rejects.toMatchObject({ name, message });
});
