import { type FormEvent, type KeyboardEvent, useState } from "react";
import { toast } from "sonner";

import { ConflictDialog } from "@/components/tasks/conflict-dialog";
import { Button } from "@/components/ui/button";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { useApi } from "@/hooks/api";
import { useCreateTask, useFoundTask, usePatchTask } from "@/hooks/tasks";
import { useUnsaved } from "@/hooks/unsaved";
import type { Task, TaskPatch } from "@/lib/api";
import { type Conflict, changes, conflicts, draftOf, unset } from "@/lib/draft";
import { ApiError } from "@/lib/errors";

/** Edits a task where it stands in the list. It stays open, with what was typed, until that is saved. */
export function TaskEditor({ task, onClose }: { task: Task; onClose: () => void }) {
  const api = useApi();
  const save = usePatchTask();
  const create = useCreateTask();
  const { show, forget } = useFoundTask();
  const [base] = useState(task); // as it was when the editing began
  const [draft, setDraft] = useState(() => draftOf(task));
  const [problem, setProblem] = useState<Error>();
  const [conflict, setConflict] = useState<{ patch: TaskPatch; theirs: Task; members: Conflict[] }>();
  const [gone, setGone] = useState(false);
  const [warned, setWarned] = useState(false);
  const busy = save.isPending || create.isPending;

  const set = (change: Partial<typeof draft>) => {
    setDraft({ ...draft, ...change });
    setWarned(false);
  };
  const fault = (member: string) =>
    problem instanceof ApiError ? problem.faults.find(({ pointer }) => pointer === `/${member}`)?.detail : undefined;
  const unplaced = problem && !(problem instanceof ApiError && problem.faults.length > 0);

  async function patch(change: TaskPatch, target: Task): Promise<boolean> {
    setProblem(undefined);
    try {
      if (Object.keys(change).length) await save.mutateAsync({ task: target, patch: change });
      onClose();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await compare(change);
      else if (error instanceof ApiError && error.status === 404) setGone(true);
      else setProblem(error as Error);
    }
    return false;
  }

  async function compare(change: TaskPatch) {
    try {
      const theirs = await api.getTask(base.id);
      show(theirs);
      const members = conflicts(base, change, theirs);
      if (members.length) setConflict({ patch: change, theirs, members });
      else if (await patch(change, theirs)) toast("Changed in another window too. Both changes are kept.");
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) setGone(true);
      else setProblem(error as Error);
    }
  }

  function submit(event?: FormEvent) {
    event?.preventDefault();
    if (!busy) void patch(changes(base, draft), base);
  }

  async function saveAsNew() {
    const { title, description, priority, category, dueDate } = { ...base, ...changes(base, draft) };
    try {
      await create.mutateAsync({ title, description, priority, category, dueDate });
      close();
    } catch (error) {
      setProblem(error as Error);
    }
  }

  /** A key that is hit by accident costs nothing of what was typed. */
  function leaveByKey() {
    if (changed && !warned) setWarned(true);
    else close();
  }

  function close() {
    if (gone) forget(base);
    onClose();
  }

  const changed = Object.keys(changes(base, draft)).length > 0;
  useUnsaved(changed);

  function press(event: KeyboardEvent) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
    else if (event.key === "Escape" && !conflict) leaveByKey();
    else return;
    event.preventDefault();
  }

  return (
    <form
      method="post"
      aria-label={`Edit ${base.title}`}
      className="grid gap-4 p-4"
      onSubmit={submit}
      onKeyDown={press}
    >
      <Field label="Title" error={fault("title")}>
        {(control) => (
          <Input {...control} autoFocus value={draft.title} onChange={(event) => set({ title: event.target.value })} />
        )}
      </Field>
      <Field label="Description" error={fault("description")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
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
              value={draft.day && draft.time}
              onChange={(event) => set({ time: event.target.value })}
            />
          )}
        </Field>
        <Field label="Priority" error={fault("priority")}>
          {(control) => (
            <Select
              {...control}
              value={draft.priority}
              onChange={(event) => set({ priority: event.target.value as Task["priority"] })}
            >
              <option value="high">High</option>
              <option value="medium">Medium</option>
              <option value="low">Low</option>
            </Select>
          )}
        </Field>
        <Field label="Category" error={fault("category")}>
          {(control) => (
            <Input
              {...control}
              autoCapitalize="none"
              value={draft.category}
              onChange={(event) => set({ category: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div role="alert" className="text-danger text-sm empty:absolute">
        {unplaced && problem.message}
        {warned && !problem && !gone && "You have changed something. Press Esc again to discard that."}
        {gone && "This task has been deleted in another window. You can save what you have as a new task."}
      </div>
      <div className="flex flex-wrap justify-end gap-2">
        <Button variant="quiet" onClick={close}>
          {gone ? "Discard" : "Cancel"}
        </Button>
        {gone ? (
          <Button variant="primary" disabled={busy} onClick={() => void saveAsNew()}>
            Save as a new task
          </Button>
        ) : (
          <Button type="submit" variant="primary" disabled={busy}>
            {busy ? "Saving …" : "Save"}
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
            void patch(unset(conflict.patch, conflict.members, mine), conflict.theirs);
          }}
        />
      )}
    </form>
  );
}
