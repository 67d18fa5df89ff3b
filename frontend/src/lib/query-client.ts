import { QueryCache, QueryClient } from "@tanstack/react-query";

import { ApiError, SignedOut, Unreachable } from "@/lib/errors";

const RETRIES = 2;
const SILENCE = 5000; // milliseconds; who has to wait longer than that is told why

export function createQueryClient(onSignedOut: () => void): QueryClient {
  const leave = (error: Error) => error instanceof SignedOut && onSignedOut();
  return new QueryClient({
    queryCache: new QueryCache({ onError: leave }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < RETRIES && retries(failures, error),
        retryDelay: waitFor,
        refetchInterval: recovery,
      },
      mutations: { retry: false, onError: leave },
    },
  });
}

/** What failed is tried again by itself, so that a page left open recovers when the service does. */
export function recovery({ state: { error } }: { state: { error: Error | null } }): number | false {
  return error && passes(error) ? Math.max(5000, waitFor(0, error)) : false;
}

/** Whether trying again may help, and soon. */
export function retries(failures: number, error: Error): boolean {
  return passes(error) && waitFor(failures, error) <= SILENCE;
}

/** Whether trying again may help. */
export function passes(error: Error): boolean {
  return error instanceof Unreachable || (error instanceof ApiError && (error.status === 429 || error.status >= 500));
}

/** Milliseconds until the next attempt: as long as the API asks for, else twice as long each time. */
export function waitFor(failures: number, error: Error): number {
  return (error instanceof ApiError && error.retryAfter) || 500 * 2 ** failures;
}
