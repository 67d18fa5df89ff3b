import { CalendarDays, Pencil, Trash2 } from "lucide-react";
import { type KeyboardEvent, memo } from "react";

import { TaskEditor } from "@/components/tasks/task-editor";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { useDeletions } from "@/hooks/deletions";
import { isTemporary, useCompleteTask } from "@/hooks/tasks";
import type { Task } from "@/lib/api";
import { describeDue, isOverdue } from "@/lib/due";
import { PRIORITY_NAMES } from "@/lib/filters";
import { cn } from "@/lib/utils";

type Props = {
  task: Task;
  now: number;
  editing: boolean;
  onEdit: (task: Task, open: boolean) => void;
  onFilter: (filter: { category: string }) => void;
};

export const TaskRow = memo(function TaskRow({ task, now, editing, onEdit, onFilter }: Props) {
  const { remove } = useDeletions();
  const complete = useCompleteTask(task);
  const waiting = isTemporary(task);

  function press(event: KeyboardEvent<HTMLElement>) {
    // A held key repeats, and would act on the row that gets the focus next.
    if (waiting || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "x") complete.mutate(!task.completed);
    else if (event.key === "e") onEdit(task, true);
    else if (event.key === "Delete" || event.key === "Backspace") remove(task);
    else return;
    event.preventDefault();
  }

  if (editing) {
    return (
      <li>
        <TaskEditor task={task} onClose={() => onEdit(task, false)} />
      </li>
    );
  }
  return (
    <li
      className={cn(
        "group relative flex items-start gap-3 px-4 py-3 [contain-intrinsic-size:auto_64px] [content-visibility:auto] first:rounded-t-2xl last:rounded-b-2xl hover:bg-raised/50",
        waiting && "opacity-60",
      )}
      onKeyDown={press}
    >
      <Checkbox
        className="mt-1"
        checked={task.completed}
        disabled={waiting}
        onCheckedChange={(checked) => complete.mutate(checked === true)}
        aria-label={`Done: ${task.title}`}
      />
      <div className="min-w-0 flex-1">
        <button
          type="button"
          data-task
          disabled={waiting}
          onClick={() => onEdit(task, true)}
          className="block w-full rounded py-0.5 text-left"
        >
          <span dir="auto" className={cn(task.completed && "text-muted line-through")}>
            {task.title}
          </span>
          {task.description && (
            <span dir="auto" className="line-clamp-1 text-muted text-sm">
              {task.description}
            </span>
          )}
        </button>
        <Details task={task} now={new Date(now)} onFilter={onFilter} />
      </div>
      <div className="flex opacity-0 transition-opacity focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
        <Button
          variant="quiet"
          size="icon"
          className="max-sm:hidden"
          disabled={waiting}
          aria-label={`Edit ${task.title}`}
          onClick={() => onEdit(task, true)}
        >
          <Pencil />
        </Button>
        <Button
          variant="quiet"
          size="icon"
          disabled={waiting}
          aria-label={`Delete ${task.title}`}
          onClick={() => remove(task)}
        >
          <Trash2 />
        </Button>
      </div>
    </li>
  );
});

function Details({ task, now, onFilter }: Pick<Props, "task" | "onFilter"> & { now: Date }) {
  const { dueDate, priority, category, completed } = task;
  const overdue = dueDate && !completed && isOverdue(dueDate, now);
  if (!dueDate && priority === "medium" && category === "other") return null;
  return (
    <div className="mt-0.5 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted text-xs">
      {dueDate && (
        <span className={cn("flex items-center gap-1", overdue && "font-medium text-danger")}>
          <CalendarDays className="size-3.5" aria-hidden />
          {describeDue(dueDate, now)}
          {overdue && <span className="sr-only">(overdue)</span>}
        </span>
      )}
      {priority !== "medium" && (
        <span
          className={cn(
            "rounded-full border px-2 py-px",
            priority === "high" && "border-warning font-medium text-warning",
          )}
        >
          {PRIORITY_NAMES[priority]} <span className="sr-only">priority</span>
        </span>
      )}
      {category !== "other" && (
        <button
          type="button"
          className="-my-0.5 rounded py-1 text-left underline-offset-4 hover:text-foreground hover:underline"
          onClick={() => onFilter({ category })}
          aria-label={`Show category ${category}`}
        >
          #{category}
        </button>
      )}
    </div>
  );
}
