import { QueryCache, QueryClient } from "@tanstack/react-query";

import { ApiError, SignedOut, Unreachable } from "@/lib/errors";

const MAX_RETRIES = 2;
const MAX_REPETITIONS = 4;
const MAX_SILENT_DELAY = 5000; // milliseconds; before a longer wait the user sees the error

export function createQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: Error) => error instanceof SignedOut && onSignedOut();
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < MAX_RETRIES && isRetryableSoon(failures, error),
        retryDelay,
        refetchInterval: recoveryInterval,
      },
      mutations: { retry: false, onError },
    },
  });
}

/** For a mutation that is safe to repeat: it is, a few times, when the response is lost or the API is busy. */
export const repeated = {
  retry: (failures: number, error: Error) => failures < MAX_REPETITIONS && isRetryableSoon(failures, error),
  retryDelay,
};

/** Milliseconds until a failed query runs again, so that an open page recovers when the service does. */
export function recoveryInterval({ state: { error } }: { state: { error: Error | null } }): number | false {
  return error && isRetryable(error) ? Math.max(5000, retryDelay(0, error)) : false;
}

/** Whether a retry may help, and is due soon. */
export function isRetryableSoon(failures: number, error: Error): boolean {
  return isRetryable(error) && retryDelay(failures, error) <= MAX_SILENT_DELAY;
}

/** Whether a retry may help. */
export function isRetryable(error: Error): boolean {
  return error instanceof Unreachable || (error instanceof ApiError && (error.status === 429 || error.status >= 500));
}

/** Milliseconds until the next attempt: what the API asks for, or else twice as long each time. */
export function retryDelay(failures: number, error: Error): number {
  return (error instanceof ApiError && error.retryAfter) || 500 * 2 ** failures;
}
