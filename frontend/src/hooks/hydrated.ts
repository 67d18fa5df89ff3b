import { useSyncExternalStore } from "react";

const subscribe = () => () => {}; // it never changes back

/** Whether React has taken over the page. A form that is submitted before then would reload it. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    subscribe,
    () => true,
    () => false,
  );
}
