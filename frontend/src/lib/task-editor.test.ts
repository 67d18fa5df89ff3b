import { expect, test } from "vitest";

import { ApiError, Unreachable } from "@/lib/errors";
import {
  createKeys,
  draftPatch,
  type EditorEvent,
  editorReducer,
  fieldError,
  hasChanges,
  isSaving,
  messages,
  needsWarning,
  newTask,
  openEditor,
  patchTarget,
} from "@/lib/task-editor";
import { makeTask } from "@/lib/testing";

const TASK = makeTask({ description: "Twice", dueDate: "2026-01-05T16:00:12.345678Z" });

const UNSAVED = "You have unsaved changes. Press Esc again to discard them.";
const DELETED = "This task was deleted in another window. You can save your version as a new task.";

const edited: EditorEvent = { type: "edited", change: { title: "Water them" } };
const warned: EditorEvent = { type: "warned" };
const saveStarted: EditorEvent = { type: "saveStarted" };
const saveFailed = (error: Error): EditorEvent => ({ type: "saveFailed", error });
const conflictFound: EditorEvent = {
  type: "conflictFound",
  conflict: {
    patch: { title: "Water them" },
    theirs: { ...TASK, title: "Feed them", version: 4 },
    conflicts: [{ member: "title", mine: "Water them", theirs: "Feed them" }],
  },
};

const after = (...events: EditorEvent[]) => events.reduce(editorReducer, openEditor(TASK));
const refusal = (status: number, faults: ApiError["faults"] = []) =>
  new ApiError(status, "code", "The API refused.", "", faults, undefined);

test("an editor opens with the task and no changes", () => {
  const state = after();

  expect(state.draft).toMatchObject({ title: "Water the plants", description: "Twice", category: "garden" });
  expect(hasChanges(state)).toBe(false);
  expect(messages(state)).toEqual([]);
});

test("an edit changes one field of the draft", () => {
  const state = after(edited, { type: "edited", change: { priority: "high" } });

  expect(draftPatch(state)).toEqual({ title: "Water them", priority: "high" });
  expect(hasChanges(state)).toBe(true);
});

test("an edit back to the original is no change", () => {
  expect(hasChanges(after(edited, { type: "edited", change: { title: TASK.title } }))).toBe(false);
});

test("a draft cannot change while it is being saved", () => {
  const state = after(edited, saveStarted, { type: "edited", change: { title: "Too late" } });

  expect(isSaving(state)).toBe(true);
  expect(draftPatch(state)).toEqual({ title: "Water them" });
});

test("a failed save keeps the draft and shows why", () => {
  const state = after(edited, saveStarted, saveFailed(new Unreachable()));

  expect(isSaving(state)).toBe(false);
  expect(draftPatch(state)).toEqual({ title: "Water them" });
  expect(messages(state)).toEqual([new Unreachable().message]);
});

test("the next save clears the error of the last one", () => {
  expect(messages(after(edited, saveStarted, saveFailed(new Unreachable()), saveStarted))).toEqual([]);
});

test("a fault shows at its field and nowhere else", () => {
  const state = after(saveStarted, saveFailed(refusal(422, [{ pointer: "/title", detail: "Title is too long." }])));

  expect(fieldError(state, "title")).toBe("Title is too long.");
  expect(fieldError(state, "category")).toBeUndefined();
  expect(messages(state)).toEqual([]);
});

test("without a fault no field has an error", () => {
  expect(fieldError(after(saveStarted, saveFailed(refusal(503))), "title")).toBeUndefined();
  expect(messages(after(saveStarted, saveFailed(refusal(503))))).toEqual(["The API refused."]);
});

test("Esc must warn once before it discards changes", () => {
  expect(needsWarning(after())).toBe(false);
  expect(needsWarning(after(edited))).toBe(true);
  expect(needsWarning(after(edited, warned))).toBe(false);
  expect(messages(after(edited, warned))).toEqual([UNSAVED]);
});

test("another edit makes the warning necessary again", () => {
  const state = after(edited, warned, { type: "edited", change: { title: "Water them all" } });

  expect(needsWarning(state)).toBe(true);
  expect(messages(state)).toEqual([]);
});

test("an error or a deletion takes the place of the warning", () => {
  expect(messages(after(edited, warned, saveStarted, saveFailed(refusal(503))))).toEqual(["The API refused."]);
  expect(messages(after(edited, warned, saveStarted, saveFailed(refusal(404))))).toEqual([DELETED]);
});

test("Esc does not warn while the draft is being saved", () => {
  expect(needsWarning(after(edited, saveStarted))).toBe(false);
});

test("a save that finds no task keeps the draft for a new task", () => {
  const state = after(edited, saveStarted, saveFailed(refusal(404)));

  expect(state).toMatchObject({ isDeleted: true, phase: { name: "editing" }, error: undefined });
  expect(messages(state)).toEqual([DELETED]);
  expect(newTask(state)).toEqual({
    title: "Water them",
    description: "Twice",
    priority: "medium",
    category: "garden",
    dueDate: TASK.dueDate,
  });
});

test("a deleted task stays deleted when saving it as a new task fails", () => {
  const state = after(edited, saveStarted, saveFailed(refusal(404)), saveStarted, saveFailed(refusal(503)));

  expect(messages(state)).toEqual(["The API refused.", DELETED]);
});

test("a conflict ends the save and can be cancelled without losing the draft", () => {
  const conflicted = after(edited, saveStarted, conflictFound);
  const cancelled = editorReducer(conflicted, { type: "conflictCancelled" });

  expect(conflicted.phase).toMatchObject({ name: "conflict", theirs: { version: 4 } });
  expect(isSaving(conflicted)).toBe(false);
  expect(cancelled.phase).toEqual({ name: "editing" });
  expect(draftPatch(cancelled)).toEqual({ title: "Water them" });
});

test("saving a resolved conflict closes its dialog", () => {
  expect(after(edited, saveStarted, conflictFound, saveStarted).phase).toEqual({ name: "saving" });
});

test("a patch targets a newer version only if the fields of the editor have not changed", () => {
  const completed = { ...TASK, status: "completed" as const, completed: true, version: 4 };
  const renamed = { ...TASK, title: "Feed them", version: 4 };

  expect(patchTarget(after(edited), completed)).toBe(completed);
  expect(patchTarget(after(edited), renamed)).toBe(TASK);
});

test("the key stays the same until the task becomes another", () => {
  const keyFor = createKeys();

  const [first, again, other] = [{ title: "Alpha" }, { title: "Alpha" }, { title: "Beta" }].map(keyFor);

  expect(again).toBe(first);
  expect(other).not.toBe(first);
  expect(createKeys()({ title: "Alpha" })).not.toBe(first);
});
