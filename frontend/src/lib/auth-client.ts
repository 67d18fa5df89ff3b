import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

import { REQUEST_TIMEOUT } from "@/lib/api";
import { ApiError, SignedOut, Unreachable } from "@/lib/errors";

export const authClient = createAuthClient({ plugins: [jwtClient()] });

/** Issues a token for the API. Throws SignedOut without a session, Unreachable without a response, else ApiError. */
export async function issueToken(): Promise<string> {
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT);
  const { data, error } = await authClient.token({ fetchOptions: { signal } }).catch((cause: unknown) => {
    throw new Unreachable({ cause });
  });
  if (error?.status === 401) throw new SignedOut();
  // Better Auth does not send problem details, so the status is all there is.
  if (error) throw await ApiError.from(new Response(null, { status: error.status }));
  if (!data?.token) throw new Unreachable(); // something else answered, such as the sign-in page of a network
  return data.token;
}
