import type { Task, TaskPatch } from "@/lib/api";
import { fromInputs, toInputs } from "@/lib/due";

/** A task as its editor holds it: text in fields. */
export type Draft = Pick<Task, "title" | "description" | "priority" | "category"> & {
  description: string;
  day: string;
  time: string;
};

export function draftOf(task: Task): Draft {
  const { title, description, priority, category, dueDate } = task;
  return { title, description: description ?? "", priority, category, ...toInputs(dueDate) };
}

/** What the draft changes about the task. A due date whose fields were not touched stays as exact as it was. */
export function changes(task: Task, draft: Draft): TaskPatch {
  const shown = draftOf(task);
  const patch: TaskPatch = {};
  if (draft.title.trim() !== task.title) patch.title = draft.title;
  if (draft.description !== shown.description) patch.description = draft.description || null;
  if (draft.priority !== task.priority) patch.priority = draft.priority;
  if (draft.category.trim().toLowerCase() !== task.category) patch.category = draft.category.trim() || "other";
  if (draft.day !== shown.day || draft.time !== shown.time) patch.dueDate = fromInputs(draft);
  return patch;
}

export type Member = keyof TaskPatch & keyof Task;

export type Conflict = { member: Member; mine: Task[Member]; theirs: Task[Member] };

/** What both sides have changed since `base`, and to different values. The rest of `mine` can be added to theirs. */
export function conflicts(base: Task, mine: TaskPatch, theirs: Task): Conflict[] {
  return (Object.keys(mine) as Member[])
    .map((member) => ({ member, mine: mine[member] ?? null, theirs: theirs[member] }))
    .filter(({ member, mine, theirs }) => theirs !== base[member] && theirs !== stored(member, mine));
}

/** Whether the other side has changed anything since `base` that is not in `mine` too. */
export function changedElsewhere(base: Task, mine: TaskPatch, theirs: Task): boolean {
  const members: Member[] = ["title", "description", "priority", "category", "dueDate", "status"];
  return members.some((member) => {
    const ours = member in mine ? stored(member, mine[member] ?? null) : base[member];
    return theirs[member] !== base[member] && theirs[member] !== ours;
  });
}

/** A value as the API will keep it: trimmed, a category in lower case, an instant to the microsecond. */
function stored(member: Member, value: Task[Member]): Task[Member] {
  if (typeof value !== "string") return value;
  if (member === "title") return value.trim();
  if (member === "category") return value.trim().toLowerCase();
  if (member === "dueDate") return value.replace(/\.\d{3}(?=Z$)/, "$&000");
  return value;
}

/** My change without the members in question for which the other side's value is to stay. */
export function unset(mine: TaskPatch, inQuestion: Conflict[], keep: ReadonlySet<Member>): TaskPatch {
  const dropped = new Set<string>(inQuestion.map(({ member }) => member).filter((member) => !keep.has(member)));
  return Object.fromEntries(Object.entries(mine).filter(([member]) => !dropped.has(member)));
}
