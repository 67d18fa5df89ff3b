const MARGIN = 60; // seconds before its end at which a token is replaced

export type Tokens = {
  /** A token that is good for a while. Calls at the same time share one request for it. */
  get(): Promise<string>;
  /** Another one than `refused`, which the API did not take. */
  replace(refused: string): Promise<string>;
};

/**
 * Keeps a token in memory, and nowhere else, until shortly before it expires.
 *
 * Its age is measured by this machine's clock from the moment it came; that clock need not agree with the server's.
 */
export function tokens(issue: () => Promise<string>, now: () => number = () => performance.now()): Tokens {
  let current: { token: string; staleAt: number } | undefined;
  let coming: Promise<string> | undefined;

  function renew(): Promise<string> {
    coming ??= issue()
      .then((token) => {
        current = { token, staleAt: now() + Math.max(0, lifetime(token) - MARGIN) * 1000 };
        return token;
      })
      .finally(() => {
        coming = undefined;
      });
    return coming;
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

/** In seconds, as its own claims have it. */
function lifetime(token: string): number {
  const payload = token.split(".")[1] ?? "";
  const { iat, exp } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
  return exp - iat;
}
