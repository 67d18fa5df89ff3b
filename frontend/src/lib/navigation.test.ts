import { afterEach, beforeEach, expect, test, vi } from "vitest";

vi.mock("@/lib/auth-client", () => ({ authClient: {} }));

import { goToSignIn } from "@/lib/navigation";

const assign = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", { location: { assign } });
});

afterEach(() => {
  vi.runAllTimers();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  assign.mockReset();
});

test("only the first reason to leave counts", () => {
  goToSignIn("deleted");
  goToSignIn("signed-out");

  expect(assign.mock.calls).toEqual([["/sign-in?reason=deleted"]]);
});

test("a user who chose to stay can leave later", () => {
  goToSignIn("signed-out");
  vi.advanceTimersByTime(5000);
  goToSignIn("signed-out");

  expect(assign).toHaveBeenCalledTimes(2);
});
