import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Task } from "@/lib/api";
import type { Conflict, Member } from "@/lib/draft";
import { describeDue } from "@/lib/due";
import { PRIORITY_NAMES } from "@/lib/filters";
import { cn } from "@/lib/utils";

const NAMES: Partial<Record<Member, string>> = {
  title: "Title",
  description: "Description",
  priority: "Priority",
  category: "Category",
  dueDate: "Due",
};

/** Shows both versions of a task that two windows have changed. The user chooses one for each field. */
export function ConflictDialog({
  conflicts,
  onResolve,
  onCancel,
}: {
  conflicts: Conflict[];
  /** Called with the members that take my value. */
  onResolve: (mine: ReadonlySet<Member>) => void;
  onCancel: () => void;
}) {
  const [mine, setMine] = useState<ReadonlySet<Member>>(() => new Set(conflicts.map(({ member }) => member)));

  function choose(member: Member, isMine: boolean) {
    const chosen = new Set(mine);
    if (isMine) chosen.add(member);
    else chosen.delete(member);
    setMine(chosen);
  }

  return (
    <Dialog
      open
      onOpenChange={onCancel}
      title="Edited in two places"
      description="This task was changed in another window while you were editing it. Choose what to keep."
    >
      <div className="grid gap-4">
        {conflicts.map(({ member, ...values }) => (
          <fieldset key={member} className="grid gap-2">
            <legend className="mb-1.5 font-medium text-sm">{NAMES[member]}</legend>
            {(["mine", "theirs"] as const).map((side) => (
              <label
                key={side}
                className={cn(
                  "flex cursor-pointer items-start gap-3 rounded-lg border p-3 text-sm",
                  mine.has(member) === (side === "mine") && "border-primary bg-primary/5",
                )}
              >
                <input
                  type="radio"
                  className="mt-1 accent-primary"
                  name={member}
                  checked={mine.has(member) === (side === "mine")}
                  onChange={() => choose(member, side === "mine")}
                />
                <span className="min-w-0">
                  <span className="block text-muted text-xs">
                    {side === "mine" ? "Your version" : "The other window’s version"}
                  </span>
                  <span className="whitespace-pre-wrap">{format(member, values[side])}</span>
                </span>
              </label>
            ))}
          </fieldset>
        ))}
        <div className="-mx-6 sticky -bottom-6 -mb-6 flex justify-end gap-2 border-t bg-surface px-6 py-4">
          <Button variant="quiet" onClick={onCancel}>
            Keep editing
          </Button>
          <Button variant="primary" onClick={() => onResolve(mine)}>
            Save choice
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function format(member: Member, value: Task[Member]): string {
  if (value === null || value === "") return "(none)";
  if (member === "priority") return PRIORITY_NAMES[value as Task["priority"]];
  return member === "dueDate" ? describeDue(String(value), new Date()) : String(value);
}
