import { type FormEvent, type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import { toast } from "sonner";

import { ConflictDialog } from "@/components/tasks/conflict-dialog";
import { Button } from "@/components/ui/button";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { useApi } from "@/hooks/api";
import { useCreateTask, useIsCompleting, usePatchTask, useTaskCache } from "@/hooks/tasks";
import { useWarnBeforeLeaving } from "@/hooks/warn-before-leaving";
import type { Task, TaskPatch } from "@/lib/api";
import { type Conflict, changedElsewhere, findConflicts, patchFor, resolveConflicts, toDraft } from "@/lib/draft";
import { ApiError } from "@/lib/errors";
import { PRIORITIES, PRIORITY_NAMES } from "@/lib/filters";

/** Edits a task where it stands in the list. It stays open, with what was typed, until that is saved. */
export function TaskEditor({ task, onClose }: { task: Task; onClose: () => void }) {
  const api = useApi();
  const save = usePatchTask();
  const create = useCreateTask();
  const { store, remove } = useTaskCache();
  const completing = useIsCompleting(task);
  const [base] = useState(task); // as it was when the editing began
  const [draft, setDraft] = useState(() => toDraft(task));
  const [problem, setProblem] = useState<Error>();
  const [conflict, setConflict] = useState<{ patch: TaskPatch; theirs: Task; members: Conflict[] }>();
  const [gone, setGone] = useState(false);
  const [warned, setWarned] = useState(false);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);
  useEffect(() => {
    if (problem) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [problem]);

  const set = (change: Partial<typeof draft>) => {
    if (busy) return; // it would be lost when the save succeeds
    setDraft({ ...draft, ...change });
    setWarned(false);
  };
  const fault = (member: string) =>
    problem instanceof ApiError ? problem.faults.find(({ pointer }) => pointer === `/${member}`)?.detail : undefined;
  const unplaced = problem && !(problem instanceof ApiError && problem.faults.length > 0);

  /** Until it is known what became of this, the draft stays as it is and the editor open. */
  async function send(work: () => Promise<unknown>) {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) setGone(true);
      else setProblem(error as Error);
    }
    setBusy(false);
  }

  async function patch(change: TaskPatch, target: Task): Promise<boolean> {
    try {
      if (Object.keys(change).length) await save.mutateAsync({ task: target, patch: change });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 412)) throw error;
      await compare(change);
      return false;
    }
    onClose();
    return true;
  }

  async function compare(change: TaskPatch) {
    const theirs = await api.getTask(base.id);
    store(theirs);
    const members = findConflicts(base, change, theirs);
    if (members.length) return setConflict({ patch: change, theirs, members });
    // What was done here and has no answer yet is no change of somebody else's.
    const known = completing ? { ...base, status: theirs.status } : base;
    const hasOtherChanges = changedElsewhere(known, change, theirs);
    if ((await patch(change, theirs)) && hasOtherChanges)
      toast("The task changed in the meantime. Both changes were kept.");
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    // A newer one that differs in nothing that is edited here, as after a click on its checkbox, is no conflict.
    const same = Object.keys(patchFor(base, toDraft(task))).length === 0;
    void send(() => patch(patchFor(base, draft), same ? task : base));
  }

  async function saveAsNew() {
    const { title, description, priority, category, dueDate } = { ...base, ...patchFor(base, draft) };
    await create.mutateAsync({ title, description, priority, category, dueDate });
    remove(base);
    onClose();
  }

  /** A key that is hit by accident costs nothing of what was typed. */
  function leaveByKey() {
    if (changed && !warned && !busy) setWarned(true);
    else close();
  }

  function close() {
    if (busy) return;
    if (gone) remove(base);
    onClose();
  }

  const changed = Object.keys(patchFor(base, draft)).length > 0;
  useWarnBeforeLeaving(changed);

  function press(event: KeyboardEvent<HTMLFormElement>) {
    if (conflict) return; // keys in the dialog come here too
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
    else if (event.key === "Escape") leaveByKey();
    else return;
    event.preventDefault();
  }

  /** The second click of a double click on the title would take the focus from the field that the first one gave it. */
  function keepFocus(event: MouseEvent) {
    if (event.detail > 1 && !(event.target as Element).closest("input, textarea, select, button"))
      event.preventDefault();
  }

  // Neither the fields nor the buttons are disabled, which would take the focus from the one that has it.
  const waiting = { "aria-disabled": busy, className: "aria-disabled:opacity-60" };

  return (
    <form
      ref={form}
      method="post"
      aria-label={`Edit ${base.title}`}
      className="grid scroll-my-4 gap-4 p-4"
      onMouseDown={keepFocus}
      onSubmit={submit}
      onKeyDown={press}
    >
      <Field label="Title" error={fault("title")}>
        {(control) => (
          <Input
            {...control}
            autoFocus
            readOnly={busy}
            value={draft.title}
            onChange={(event) => set({ title: event.target.value })}
          />
        )}
      </Field>
      <Field label="Description" error={fault("description")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            readOnly={busy}
            value={draft.description}
            onChange={(event) => set({ description: event.target.value })}
          />
        )}
      </Field>
      <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Field label="Due" error={fault("dueDate")}>
          {(control) => (
            <Input
              {...control}
              type="date"
              max="9999-12-31"
              readOnly={busy}
              value={draft.day}
              onChange={(event) => set({ day: event.target.value })}
            />
          )}
        </Field>
        <Field label="Time">
          {(control) => (
            <Input
              {...control}
              type="time"
              disabled={!draft.day}
              readOnly={busy}
              value={draft.day && draft.time}
              onChange={(event) => set({ time: event.target.value })}
            />
          )}
        </Field>
        <Field label="Priority" error={fault("priority")}>
          {(control) => (
            <Select
              {...control}
              aria-disabled={busy}
              value={draft.priority}
              onChange={(event) => set({ priority: event.target.value as Task["priority"] })}
            >
              {PRIORITIES.map((priority) => (
                <option key={priority} value={priority}>
                  {PRIORITY_NAMES[priority]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Category" error={fault("category")}>
          {(control) => (
            <Input
              {...control}
              autoCapitalize="none"
              readOnly={busy}
              value={draft.category}
              onChange={(event) => set({ category: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div role="alert" className="text-danger text-sm empty:absolute">
        {unplaced && problem.message}
        {warned && !problem && !gone && "You have unsaved changes. Press Esc again to discard them."}
        {gone && "This task was deleted in another window. You can save your version as a new task."}
      </div>
      <div className="flex flex-wrap justify-end gap-2">
        <Button variant="quiet" {...waiting} onClick={close}>
          {gone ? "Discard" : "Cancel"}
        </Button>
        {gone ? (
          <Button variant="primary" {...waiting} onClick={() => void send(saveAsNew)}>
            {busy ? "Saving…" : "Save as new task"}
          </Button>
        ) : (
          <Button type="submit" variant="primary" {...waiting}>
            {busy ? "Saving…" : "Save"}
          </Button>
        )}
      </div>
      {conflict && (
        <ConflictDialog
          conflicts={conflict.members}
          busy={busy}
          onCancel={() => setConflict(undefined)}
          onResolve={(mine) => {
            setConflict(undefined);
            void send(() => patch(resolveConflicts(conflict.patch, conflict.members, mine), conflict.theirs));
          }}
        />
      )}
    </form>
  );
}
