import { expect, test, vi } from "vitest";

import { ApiError, SignedOut, Unreachable } from "@/lib/errors";
import { createQueryClient, passes, waitFor } from "@/lib/query-client";

const refusal = (status: number, retryAfter?: number) => new ApiError(status, "code", "message", "", [], retryAfter);

test("what may pass by itself is tried again, and what will not is not", () => {
  expect([new Unreachable(), refusal(429), refusal(500), refusal(503)].map(passes)).toEqual(Array(4).fill(true));
  expect([new SignedOut(), refusal(401), refusal(404), refusal(422), new Error()].map(passes)).toEqual(
    Array(5).fill(false),
  );
});

test("the wait is what the API asks for, else it doubles", () => {
  expect(waitFor(0, refusal(503, 7000))).toBe(7000);
  expect([0, 1, 2].map((failures) => waitFor(failures, new Unreachable()))).toEqual([500, 1000, 2000]);
});

test.each([
  ["at once if that is to be later", 30_000, 1],
  ["after trying again if that is soon", 1, 3],
])("a query fails %s", async (_, retryAfter, attempts) => {
  const queryFn = vi.fn().mockRejectedValue(refusal(503, retryAfter));

  await expect(createQueryClient(() => {}).fetchQuery({ queryKey: ["tasks"], queryFn })).rejects.toThrow("message");

  expect(queryFn).toHaveBeenCalledTimes(attempts);
});
