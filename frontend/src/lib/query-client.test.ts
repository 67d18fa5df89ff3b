import { expect, test, vi } from "vitest";

import { ApiError, SignedOut, Unreachable } from "@/lib/errors";
import { createQueryClient, isRetryable, repeated, retryDelay } from "@/lib/query-client";

const refusal = (status: number, retryAfter?: number) => new ApiError(status, "code", "message", "", [], retryAfter);

test("only errors that may be temporary are retryable", () => {
  expect([new Unreachable(), refusal(429), refusal(500), refusal(503)].map(isRetryable)).toEqual(Array(4).fill(true));
  expect([new SignedOut(), refusal(401), refusal(404), refusal(422), new Error()].map(isRetryable)).toEqual(
    Array(5).fill(false),
  );
});

test("the retry delay is what the API asks for, or else doubles", () => {
  expect(retryDelay(0, refusal(503, 7000))).toBe(7000);
  expect([0, 1, 2].map((failures) => retryDelay(failures, new Unreachable()))).toEqual([500, 1000, 2000]);
});

test.each([
  ["at once if the next attempt is far off", 30_000, 1],
  ["only after its retries if they are soon", 1, 3],
])("a query fails %s", async (_, retryAfter, attempts) => {
  const queryFn = vi.fn().mockRejectedValue(refusal(503, retryAfter));

  await expect(createQueryClient(() => {}).fetchQuery({ queryKey: ["tasks"], queryFn })).rejects.toThrow("message");

  expect(queryFn).toHaveBeenCalledTimes(attempts);
});

test.each([
  ["lost responses", new Unreachable(), 5],
  ["a busy API", refusal(503, 1), 5],
  ["an API that is busy for long", refusal(503, 30_000), 1],
  ["a refusal", refusal(422), 1],
])("after %s a mutation that is safe to repeat has been tried as often as makes sense", async (_, error, attempts) => {
  vi.useFakeTimers();
  const mutationFn = vi.fn().mockRejectedValue(error);
  const queries = createQueryClient(() => {});

  const outcome = queries
    .getMutationCache()
    .build(queries, { mutationFn, ...repeated })
    .execute(undefined)
    .catch((thrown: unknown) => thrown);
  await vi.runAllTimersAsync();
  vi.useRealTimers();

  expect(await outcome).toBe(error);
  expect(mutationFn).toHaveBeenCalledTimes(attempts);
});
