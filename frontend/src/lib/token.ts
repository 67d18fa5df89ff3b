const MARGIN = 60; // seconds before its expiry at which a token is replaced

export type Tokens = {
  /** A token that is still valid for a while. Concurrent calls share one request. */
  get(): Promise<string>;
  /** A token other than `refused`, which the API did not accept. */
  replace(refused: string): Promise<string>;
};

/**
 * Keeps a token in memory, and nowhere else, until shortly before it expires.
 *
 * This machine's clock measures the token's age from its arrival, so it need not agree with the server's clock.
 */
export function createTokens(issue: () => Promise<string>, now: () => number = () => performance.now()): Tokens {
  let current: { token: string; staleAt: number } | undefined;
  let pending: Promise<string> | undefined;

  function renew(): Promise<string> {
    pending ??= issue()
      .then((token) => {
        current = { token, staleAt: now() + Math.max(0, lifetime(token) - MARGIN) * 1000 };
        return token;
      })
      .finally(() => {
        pending = undefined;
      });
    return pending;
  }

  return {
    async get() {
      return current && now() < current.staleAt ? current.token : renew();
    },
    async replace(refused) {
      return current && current.token !== refused ? current.token : renew();
    },
  };
}

/** In seconds, by its own claims. */
function lifetime(token: string): number {
  const payload = token.split(".")[1] ?? "";
  const { iat, exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
  return exp - iat;
}
