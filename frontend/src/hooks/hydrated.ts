import { useSyncExternalStore } from "react";

const never = () => () => {};

/** Whether React has taken over the page. A form that is sent before then would reload it. */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
