import { useEffect } from "react";

import { authClient } from "@/lib/auth-client";
import { goToSignIn } from "@/lib/navigation";

/** Leaves or reloads the page if another window signs out or switches users. Checked when this window gets the focus. */
export function useSameUser(userId: string) {
  const { data, isPending, error } = authClient.useSession();
  const signedInId = data?.user.id;
  useEffect(() => {
    if (isPending || error || signedInId === userId) return;
    if (signedInId) window.location.reload();
    else goToSignIn("signed-out");
  }, [signedInId, isPending, error, userId]);
}
