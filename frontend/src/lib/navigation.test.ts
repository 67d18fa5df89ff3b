import { afterEach, beforeEach, expect, test, vi } from "vitest";

vi.mock("@/lib/auth-client", () => ({ authClient: {} }));

import { leave } from "@/lib/navigation";

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
  leave("deleted");
  leave("signed-out");

  expect(assign.mock.calls).toEqual([["/sign-in?reason=deleted"]]);
});

test("whoever chose to stay can leave later", () => {
  leave("signed-out");
  vi.advanceTimersByTime(5000);
  leave("signed-out");

  expect(assign).toHaveBeenCalledTimes(2);
});
