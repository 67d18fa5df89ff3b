import type { Task, TaskPatch } from "@/lib/api";
import { fromInputs, toInputs } from "@/lib/due";

/** The fields of the editor. */
export type Draft = Pick<Task, "title" | "description" | "priority" | "category"> & {
  description: string;
  day: string;
  time: string;
};

export function toDraft(task: Task): Draft {
  const { title, description, priority, category, dueDate } = task;
  return { title, description: description ?? "", priority, category, ...toInputs(dueDate) };
}

/** The patch from the task to the draft. An untouched due date keeps its seconds. */
export function patchFor(task: Task, draft: Draft): TaskPatch {
  const original = toDraft(task);
  const patch: TaskPatch = {};
  if (draft.title.trim() !== task.title) patch.title = draft.title;
  if (draft.description !== original.description) patch.description = draft.description || null;
  if (draft.priority !== task.priority) patch.priority = draft.priority;
  if (draft.category.trim().toLowerCase() !== task.category) patch.category = draft.category.trim() || "other";
  if (draft.day !== original.day || draft.time !== original.time) patch.dueDate = fromInputs(draft);
  return patch;
}

export type Member = keyof TaskPatch & keyof Task;

export type Conflict = { member: Member; mine: Task[Member]; theirs: Task[Member] };

/** The members that both sides have changed since `base`, to different values. The others merge. */
export function findConflicts(base: Task, mine: TaskPatch, theirs: Task): Conflict[] {
  return (Object.keys(mine) as Member[])
    .map((member) => ({ member, mine: mine[member] ?? null, theirs: theirs[member] }))
    .filter(({ member, mine, theirs }) => theirs !== base[member] && theirs !== stored(member, mine));
}

/** Whether the other side has changed anything since `base` that `mine` does not change alike. */
export function changedElsewhere(base: Task, mine: TaskPatch, theirs: Task): boolean {
  const members: Member[] = ["title", "description", "priority", "category", "dueDate", "status"];
  return members.some((member) => {
    const expected = member in mine ? stored(member, mine[member] ?? null) : base[member];
    return theirs[member] !== base[member] && theirs[member] !== expected;
  });
}

/** A value as the API stores it: trimmed, a category in lower case, an instant with microseconds. */
function stored(member: Member, value: Task[Member]): Task[Member] {
  if (typeof value !== "string") return value;
  if (member === "title") return value.trim();
  if (member === "category") return value.trim().toLowerCase();
  if (member === "dueDate") return value.replace(/\.\d{3}(?=Z$)/, "$&000");
  return value;
}

/** My patch without the conflicting members that keep their value. `chosen` holds those that take mine. */
export function resolveConflicts(mine: TaskPatch, conflicts: Conflict[], chosen: ReadonlySet<Member>): TaskPatch {
  const dropped = new Set<string>(conflicts.map(({ member }) => member).filter((member) => !chosen.has(member)));
  return Object.fromEntries(Object.entries(mine).filter(([member]) => !dropped.has(member)));
}
