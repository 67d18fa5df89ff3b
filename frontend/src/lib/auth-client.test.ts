import { afterEach, expect, test, vi } from "vitest";

const fetch = vi.fn<typeof globalThis.fetch>();
vi.stubGlobal("fetch", fetch);
vi.stubEnv("NEXT_PUBLIC_AUTH_URL", "http://localhost:3000/api/auth"); // a browser takes it from its address

const { issueToken } = await import("@/lib/auth-client");

afterEach(() => vi.restoreAllMocks());

test("a token is issued", async () => {
  fetch.mockResolvedValue(Response.json({ token: "e30.e30.signature" }));

  await expect(issueToken()).resolves.toBe("e30.e30.signature");
});

test("a response that takes too long counts as none", async () => {
  const expired = AbortSignal.abort();
  const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(expired);
  fetch.mockImplementation(async (_, init) => {
    if (init?.signal === expired) throw expired.reason;
    return Response.json({ token: "too late" });
  });

  await expect(issueToken()).rejects.toMatchObject({ name: "Unreachable" });
  expect(timeout).toHaveBeenCalledWith(15_000);
});

test("the sign-in page of a network is not a token", async () => {
  fetch.mockResolvedValue(new Response("<html>", { headers: { "Content-Type": "text/html" } }));

  await expect(issueToken()).rejects.toMatchObject({ name: "Unreachable" });
});

test.each([
  [401, "SignedOut", "You have been signed out. Sign in again to continue."],
  [429, "ApiError", "The task service is busy. Try again in a moment."],
  [500, "ApiError", "The task service returned an error (500). Try again."],
])("status %i becomes %s with a message for the user", async (status, name, message) => {
  fetch.mockResolvedValue(Response.json({ message: "a message for developers" }, { status }));

  await expect(issueToken()).rejects.toMatchObject({ name, message });
});
