import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

import { SignedOut, Unreachable } from "@/lib/errors";

export const authClient = createAuthClient({ plugins: [jwtClient()] });

/** A token for the API. Throws SignedOut without a session, Unreachable if nobody answers. */
export async function issueToken(): Promise<string> {
  const { data, error } = await authClient.token().catch((cause: unknown) => {
    throw new Unreachable({ cause });
  });
  if (error?.status === 401) throw new SignedOut();
  if (!data) throw new Unreachable({ cause: error });
  return data.token;
}
