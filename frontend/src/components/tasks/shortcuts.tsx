import { useEffect } from "react";

import { Dialog } from "@/components/ui/dialog";
import { useDeletions } from "@/hooks/deletions";
import { type SingleKeys, useSingleKeys } from "@/hooks/single-keys";

const KEYS = [
  ["n", "New task"],
  ["/", "Search"],
  ["j, ↓ and k, ↑", "Next and previous task"],
  ["x", "Complete or reopen the task"],
  ["e or Enter", "Edit the task"],
  ["Delete", "Delete the task"],
  ["Ctrl or ⌘ + Z", "Undo the last deletion"],
  ["Ctrl or ⌘ + Enter, Esc", "Save or close the editor"],
  ["?", "Show these shortcuts"],
] as const;

export const QUICK_ADD = "quick-add";
export const SEARCH = "search";
/** Elements that use keys themselves. */
export const TYPING = "input, textarea, select, [role=dialog], [role=menu]";

/** Handles the keys that work anywhere on the page, and shows the list of all keys. */
export function Shortcuts({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { undoLast } = useDeletions();
  const singleKeys = useSingleKeys();

  useEffect(() => {
    function press(event: KeyboardEvent) {
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || event.altKey || target.closest(TYPING)) {
        return;
      }
      if (event.ctrlKey || event.metaKey) {
        if (event.key !== "z" || event.shiftKey) return;
        undoLast();
        event.preventDefault(); // the browser would undo the last typing in some field
        return;
      }
      if (!singleKeys.on) return;
      if (event.key === "n") document.getElementById(QUICK_ADD)?.focus();
      else if (event.key === "/") document.getElementById(SEARCH)?.focus();
      else if (event.key === "?") onOpenChange(true);
      else return;
      event.preventDefault();
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [onOpenChange, undoLast, singleKeys.on]);

  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keyboard shortcuts">
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2 text-sm">
        {KEYS.map(([keys, effect]) => (
          <div key={keys} className="contents">
            <dt>
              <kbd className="rounded-md border bg-raised px-1.5 py-0.5 font-sans text-xs">{keys}</kbd>
            </dt>
            <dd>{effect}</dd>
          </div>
        ))}
      </dl>
      <SingleKeysSwitch {...singleKeys} />
    </Dialog>
  );
}

/** Speech input and accidental key presses trigger single keys, so users can turn them off (WCAG 2.1.4). */
function SingleKeysSwitch({ on, set }: SingleKeys) {
  return (
    <label className="mt-4 flex items-start gap-3 border-t pt-4 text-sm">
      <input
        type="checkbox"
        className="mt-1 accent-primary"
        checked={on}
        onChange={(event) => set(event.target.checked)}
      />
      <span>
        Use single keys anywhere on the page. If this is off, <kbd className="font-sans">n</kbd>,{" "}
        <kbd className="font-sans">/</kbd> and <kbd className="font-sans">?</kbd> do nothing, and{" "}
        <kbd className="font-sans">j</kbd> and <kbd className="font-sans">k</kbd> only work in the list.
      </span>
    </label>
  );
}
