import { useSyncExternalStore } from "react";

const KEY = "single-keys";
const listeners = new Set<() => void>();
let on: boolean | undefined;

export type SingleKeys = { on: boolean; set: (on: boolean) => void };

/** Whether single keys work anywhere on the page. The browser stores the setting, if it may. */
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
    // the setting lasts until the user leaves the page
  }
  for (const notify of listeners) notify();
}
