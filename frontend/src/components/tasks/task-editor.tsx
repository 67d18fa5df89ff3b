import { type FormEvent, type KeyboardEvent, type MouseEvent, useEffect, useRef } from "react";

import { ConflictDialog } from "@/components/tasks/conflict-dialog";
import { Button } from "@/components/ui/button";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { useTaskEditor } from "@/hooks/task-editor";
import type { Task } from "@/lib/api";
import { PRIORITIES, PRIORITY_NAMES, type Priority } from "@/lib/filters";
import { fieldError, isSaving, messages } from "@/lib/task-editor";

/** Edits a task in place. The editor stays open until the draft is saved or discarded. */
export function TaskEditor({ task, onClose }: { task: Task; onClose: () => void }) {
  const { state, edit, save, saveAsNew, close, closeByKey, resolve, cancelConflict } = useTaskEditor(task, onClose);
  const { base, draft, phase, error, isDeleted } = state;
  const busy = isSaving(state);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [error]);

  function submit(event: FormEvent) {
    event.preventDefault();
    save();
  }

  function press(event: KeyboardEvent<HTMLFormElement>) {
    if (phase.name === "conflict") return; // keys in the dialog bubble up to here
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
    else if (event.key === "Escape") closeByKey();
    else return;
    event.preventDefault();
  }

  /** The second click of a double click on the title would take the focus from the field that the first one focused. */
  function keepFocus(event: MouseEvent) {
    if (event.detail > 1 && !(event.target as Element).closest("input, textarea, select, button"))
      event.preventDefault();
  }

  // Not `disabled`, which would take the focus from the field or button that has it.
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
      <Field label="Title" error={fieldError(state, "title")}>
        {(control) => (
          <Input
            {...control}
            autoFocus
            readOnly={busy}
            value={draft.title}
            onChange={(event) => edit({ title: event.target.value })}
          />
        )}
      </Field>
      <Field label="Description" error={fieldError(state, "description")}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            readOnly={busy}
            value={draft.description}
            onChange={(event) => edit({ description: event.target.value })}
          />
        )}
      </Field>
      <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        <Field label="Due" error={fieldError(state, "dueDate")}>
          {(control) => (
            <Input
              {...control}
              type="date"
              max="9999-12-31"
              readOnly={busy}
              value={draft.day}
              onChange={(event) => edit({ day: event.target.value })}
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
              onChange={(event) => edit({ time: event.target.value })}
            />
          )}
        </Field>
        <Field label="Priority" error={fieldError(state, "priority")}>
          {(control) => (
            <Select
              {...control}
              aria-disabled={busy}
              value={draft.priority}
              onChange={(event) => edit({ priority: event.target.value as Priority })}
            >
              {PRIORITIES.map((priority) => (
                <option key={priority} value={priority}>
                  {PRIORITY_NAMES[priority]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Category" error={fieldError(state, "category")}>
          {(control) => (
            <Input
              {...control}
              autoCapitalize="none"
              readOnly={busy}
              value={draft.category}
              onChange={(event) => edit({ category: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div role="alert" className="text-danger text-sm empty:absolute">
        {messages(state).join(" ")}
      </div>
      <div className="flex flex-wrap justify-end gap-2">
        <Button variant="quiet" {...waiting} onClick={close}>
          {isDeleted ? "Discard" : "Cancel"}
        </Button>
        {isDeleted ? (
          <Button variant="primary" {...waiting} onClick={saveAsNew}>
            {busy ? "Saving…" : "Save as new task"}
          </Button>
        ) : (
          <Button type="submit" variant="primary" {...waiting}>
            {busy ? "Saving…" : "Save"}
          </Button>
        )}
      </div>
      {phase.name === "conflict" && (
        <ConflictDialog conflicts={phase.conflicts} onResolve={resolve} onCancel={cancelConflict} />
      )}
    </form>
  );
}
