import { useEffect } from "react";

import { Dialog } from "@/components/ui/dialog";
import { useDeletions } from "@/hooks/deletions";

const KEYS = [
  ["n", "New task"],
  ["/", "Search"],
  ["j, ↓ and k, ↑", "Next and previous task"],
  ["x", "Complete or reopen the task"],
  ["e or Enter", "Edit the task"],
  ["Delete", "Delete the task"],
  ["Ctrl or ⌘ + Z", "Undo the last deletion"],
  ["Ctrl or ⌘ + Enter, Esc", "Save or leave the editor"],
  ["?", "This list"],
] as const;

export const QUICK_ADD = "quick-add";
export const SEARCH = "search";
/** Where keys are text, or have a meaning of their own. */
export const TYPING = "input, textarea, select, [role=dialog], [role=menu]";

/** The keys that work anywhere on the page, and the list of all keys. */
export function Shortcuts({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const { undoLast } = useDeletions();

  useEffect(() => {
    function press(event: KeyboardEvent) {
      const target = event.target as HTMLElement;
      if (event.defaultPrevented || event.altKey || target.closest(TYPING)) {
        return;
      }
      if (event.ctrlKey || event.metaKey) {
        if (event.key === "z" && !event.shiftKey) undoLast();
        return;
      }
      if (event.key === "n") document.getElementById(QUICK_ADD)?.focus();
      else if (event.key === "/") document.getElementById(SEARCH)?.focus();
      else if (event.key === "?") onOpenChange(true);
      else return;
      event.preventDefault();
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [onOpenChange, undoLast]);

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
    </Dialog>
  );
}
