import type { Task, TaskCreate, TaskPatch } from "@/lib/api";
import { type Conflict, type Draft, type Member, patchFor, toDraft } from "@/lib/draft";
import { ApiError } from "@/lib/errors";

/** Another window has changed members of `patch` to different values, which are in `theirs`. */
export type EditConflict = { patch: TaskPatch; theirs: Task; conflicts: Conflict[] };

type Phase = { name: "editing" } | { name: "saving" } | ({ name: "conflict" } & EditConflict);

export type EditorState = {
  /** The task as it was when the editor opened. */
  base: Task;
  draft: Draft;
  phase: Phase;
  /** Why the last save failed. */
  error: Error | undefined;
  /** Esc was pressed once, and again would discard the changes. */
  isWarned: boolean;
  /** The task no longer exists. The draft can still be saved as a new task. */
  isDeleted: boolean;
};

export type EditorEvent =
  | { type: "edited"; change: Partial<Draft> }
  | { type: "warned" }
  | { type: "saveStarted" }
  | { type: "saveFailed"; error: Error }
  | { type: "conflictFound"; conflict: EditConflict }
  | { type: "conflictCancelled" };

export function openEditor(task: Task): EditorState {
  return {
    base: task,
    draft: toDraft(task),
    phase: { name: "editing" },
    error: undefined,
    isWarned: false,
    isDeleted: false,
  };
}

/** A successful save is no event, because it closes the editor. */
export function editorReducer(state: EditorState, event: EditorEvent): EditorState {
  switch (event.type) {
    case "edited":
      // A successful save would discard an edit made while it runs.
      if (isSaving(state)) return state;
      return { ...state, draft: { ...state.draft, ...event.change }, isWarned: false };
    case "warned":
      return { ...state, isWarned: true };
    case "saveStarted":
      return { ...state, phase: { name: "saving" }, error: undefined };
    case "saveFailed":
      return { ...state, phase: { name: "editing" }, ...outcome(event.error) };
    case "conflictFound":
      return { ...state, phase: { name: "conflict", ...event.conflict } };
    case "conflictCancelled":
      return { ...state, phase: { name: "editing" } };
  }
}

function outcome(error: Error): Partial<EditorState> {
  return error instanceof ApiError && error.status === 404 ? { isDeleted: true } : { error };
}

export function isSaving({ phase }: EditorState): boolean {
  return phase.name === "saving";
}

export function draftPatch({ base, draft }: EditorState): TaskPatch {
  return patchFor(base, draft);
}

export function hasChanges(state: EditorState): boolean {
  return Object.keys(draftPatch(state)).length > 0;
}

/** Whether Esc must warn before it discards the draft. */
export function needsWarning(state: EditorState): boolean {
  return hasChanges(state) && !state.isWarned && !isSaving(state);
}

/**
 * The version to patch. A newer version without changes to the fields of the editor, as after a click on the checkbox,
 * is no conflict.
 */
export function patchTarget({ base }: EditorState, latest: Task): Task {
  return Object.keys(patchFor(base, toDraft(latest))).length === 0 ? latest : base;
}

export function newTask(state: EditorState): TaskCreate {
  const { title, description, priority, category, dueDate } = { ...state.base, ...draftPatch(state) };
  return { title, description, priority, category, dueDate };
}

/** The keys of additions: a new one whenever the task is another than the last time. */
export function createKeys(): (task: TaskCreate) => string {
  let last = { content: "", key: "" };
  return (task) => {
    const content = JSON.stringify(task);
    if (content !== last.content) last = { content, key: crypto.randomUUID() };
    return last.key;
  };
}

export function fieldError({ error }: EditorState, member: Member): string | undefined {
  return error instanceof ApiError ? error.faults.find(({ pointer }) => pointer === `/${member}`)?.detail : undefined;
}

/** What the editor shows that belongs to none of its fields. */
export function messages({ error, isWarned, isDeleted }: EditorState): string[] {
  const shown: string[] = [];
  if (error && !(error instanceof ApiError && error.faults.length > 0)) shown.push(error.message);
  if (isWarned && !error && !isDeleted) shown.push("You have unsaved changes. Press Esc again to discard them.");
  if (isDeleted) shown.push("This task was deleted in another window. You can save your version as a new task.");
  return shown;
}
