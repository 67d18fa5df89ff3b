import { onlineManager, useIsMutating } from "@tanstack/react-query";
import { CloudOff } from "lucide-react";
import { useSyncExternalStore } from "react";

import { useWarnBeforeLeaving } from "@/hooks/warn-before-leaving";

/**
 * Tells the user that there is no network. Additions and changes wait in this window until it returns. A deletion does
 * not wait: its task comes back with a message.
 */
export function ConnectionBanner() {
  const online = useSyncExternalStore(
    (notify) => onlineManager.subscribe(notify),
    () => onlineManager.isOnline(),
    () => true,
  );
  const waiting = useIsMutating({ predicate: ({ state }) => state.isPaused });

  useWarnBeforeLeaving(waiting > 0);

  return (
    <div role="status" className="sticky top-0 z-20">
      {!online && (
        <p className="flex items-center justify-center gap-2 bg-foreground px-4 py-2 text-background text-sm">
          <CloudOff className="size-4 shrink-0" aria-hidden />
          You’re offline.{" "}
          {waiting
            ? `${waiting} ${waiting === 1 ? "change" : "changes"} will be sent when you’re back online. Keep this page open.`
            : "The list may be out of date."}
        </p>
      )}
    </div>
  );
}
