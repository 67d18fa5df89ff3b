import { useEffect } from "react";

import { authClient } from "@/lib/auth-client";
import { leave } from "@/lib/navigation";

/** Follow what happens in other windows: the session is looked at whenever this one comes to the front. */
export function useSameUser(userId: string) {
  const { data, isPending, error } = authClient.useSession();
  const present = data?.user.id;
  useEffect(() => {
    if (isPending || error || present === userId) return;
    if (present) window.location.reload();
    else leave("signed-out");
  }, [present, isPending, error, userId]);
}
