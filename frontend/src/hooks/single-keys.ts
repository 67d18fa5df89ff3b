import { useSyncExternalStore } from "react";

const KEY = "single-keys";
const listeners = new Set<() => void>();
let on: boolean | undefined;

export type SingleKeys = { on: boolean; set: (on: boolean) => void };

/** Whether single letters work anywhere on the page. It is kept in this browser, where that is allowed. */
export function useSingleKeys(): SingleKeys {
  return { on: useSyncExternalStore(subscribe, read, () => true), set };
}

function subscribe(notify: () => void) {
  listeners.add(notify);
  return () => void listeners.delete(notify);
}

function read(): boolean {
  try {
    on ??= window.localStorage.getItem(KEY) !== "off";
  } catch {
    on ??= true;
  }
  return on;
}

function set(value: boolean) {
  on = value;
  try {
    window.localStorage.setItem(KEY, value ? "on" : "off");
  } catch {
    // until the page is left, then
  }
  for (const notify of listeners) notify();
}
