import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

import { PATIENCE } from "@/lib/api";
import { ApiError, SignedOut, Unreachable } from "@/lib/errors";

export const authClient = createAuthClient({ plugins: [jwtClient()] });

/** A token for the API. Throws SignedOut without a session, Unreachable if nobody answers, ApiError if it fails. */
export async function issueToken(): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE);
  const { data, error } = await authClient.token({ fetchOptions: { signal } }).catch((cause: unknown) => {
    throw new Unreachable({ cause });
  });
  if (error?.status === 401) throw new SignedOut();
  // Better Auth describes no problems as the API does, so the status has to say it all.
  if (error) throw await ApiError.from(new Response(null, { status: error.status }));
  if (!data?.token) throw new Unreachable(); // who answered is another, such as the sign-in page of a network
  return data.token;
}
