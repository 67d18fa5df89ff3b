import { useReducer, useState } from "react";
import { toast } from "sonner";

import { useApi } from "@/hooks/api";
import { useCreateTask, useIsCompleting, usePatchTask, useTaskCache } from "@/hooks/tasks";
import { useWarnBeforeLeaving } from "@/hooks/warn-before-leaving";
import type { Task, TaskPatch } from "@/lib/api";
import { changedElsewhere, type Draft, findConflicts, type Member, resolveConflicts } from "@/lib/draft";
import { ApiError } from "@/lib/errors";
import {
  createKeys,
  draftPatch,
  editorReducer,
  hasChanges,
  isSaving,
  needsWarning,
  newTask,
  openEditor,
  patchTarget,
} from "@/lib/task-editor";

/** The state of an editor for `task`, and what its user can do. `onClose` is called when the editor is finished. */
export function useTaskEditor(task: Task, onClose: () => void) {
  const api = useApi();
  const patchTask = usePatchTask();
  const createTask = useCreateTask();
  const [keyFor] = useState(createKeys);
  const cache = useTaskCache();
  const isCompleting = useIsCompleting(task);
  const [state, dispatch] = useReducer(editorReducer, task, openEditor);
  const { base } = state;
  useWarnBeforeLeaving(hasChanges(state));

  /** The draft stays as it is and the editor stays open until the outcome is known. */
  async function run(save: () => Promise<void>) {
    if (isSaving(state)) return;
    dispatch({ type: "saveStarted" });
    try {
      await save();
    } catch (error) {
      dispatch({ type: "saveFailed", error: error as Error });
    }
  }

  /** Patches `target`, or a later version that merges with the patch. */
  async function merge(patch: TaskPatch, target: Task) {
    let hasOtherChanges = false;
    while (!(await tryPatch(patch, target))) {
      const theirs = await api.getTask(base.id);
      cache.store(theirs);
      const conflicts = findConflicts(base, patch, theirs);
      if (conflicts.length) return dispatch({ type: "conflictFound", conflict: { patch, theirs, conflicts } });
      // A completion by this window that has no response yet is not a change by another.
      const known = isCompleting ? { ...base, status: theirs.status } : base;
      hasOtherChanges = changedElsewhere(known, patch, theirs);
      target = theirs;
    }
    onClose();
    if (hasOtherChanges) toast("The task changed in the meantime. Both changes were kept.");
  }

  /** Whether the target still had its version, so that the patch was applied. */
  async function tryPatch(patch: TaskPatch, target: Task): Promise<boolean> {
    try {
      if (Object.keys(patch).length) await patchTask.mutateAsync({ task: target, patch });
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) return false;
      throw error;
    }
  }

  function close() {
    if (isSaving(state)) return;
    if (state.isDeleted) cache.remove(base);
    onClose();
  }

  return {
    state,
    edit: (change: Partial<Draft>) => dispatch({ type: "edited", change }),
    save: () => void run(() => merge(draftPatch(state), patchTarget(state, task))),
    saveAsNew: () =>
      void run(async () => {
        const task = newTask(state);
        await createTask.mutateAsync({ task, key: keyFor(task) });
        cache.remove(base);
        onClose();
      }),
    close,
    /** Closes the editor, but only at the second call if that discards changes: the first may be an accident. */
    closeByKey: () => (needsWarning(state) ? dispatch({ type: "warned" }) : close()),
    /** Saves my values of the chosen members, and keeps theirs of the others. */
    resolve: (chosen: ReadonlySet<Member>) => {
      if (state.phase.name !== "conflict") return;
      const { patch, theirs, conflicts } = state.phase;
      void run(() => merge(resolveConflicts(patch, conflicts, chosen), theirs));
    },
    cancelConflict: () => dispatch({ type: "conflictCancelled" }),
  };
}
