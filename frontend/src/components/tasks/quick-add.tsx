import { CalendarDays, Flag, Plus, Tag, X } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { toast } from "sonner";

import { QUICK_ADD } from "@/components/tasks/shortcuts";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { useHydrated } from "@/hooks/hydrated";
import { useCreateTask } from "@/hooks/tasks";
import { useWarnBeforeLeaving } from "@/hooks/warn-before-leaving";
import type { TaskCreate } from "@/lib/api";
import { describeDue } from "@/lib/due";
import { Unreachable } from "@/lib/errors";
import { type Filters, PRIORITY_NAMES, passesFilters } from "@/lib/filters";
import type { ParsedTask, Piece } from "@/lib/quick-add";
import { shorten } from "@/lib/utils";

const MAX_LINE = 500; // characters; a longer text was pasted, and would take long to parse

const ICONS = { due: CalendarDays, priority: Flag, category: Tag };

/** `keep` holds the pieces of the text that stay in the title. */
type Typed = { text: string; keep: ReadonlySet<string> };
/** What was made of a line. `key` stays the same however often it is sent, so that one task is added. */
type Addition = Typed & { task: TaskCreate; key: string };
type Failure = Addition & { error: Error };
/** The content of the field, with `failure` if it came back and has not been changed since. */
type Line = Typed & { failure?: Failure };

const EMPTY: Line = { text: "", keep: new Set() };

/** Turns one line into a task. The user sees what was recognized before sending it, and can reject each piece. */
export function QuickAdd({ filters, onClear }: { filters: Filters; onClear: () => void }) {
  const hydrated = useHydrated();
  const create = useCreateTask();
  const input = useRef<HTMLInputElement>(null);
  // One state, because a failed line returns to the field only if the field is still empty.
  const [{ line, failures }, setState] = useState<{ line: Line; failures: Failure[] }>({ line: EMPTY, failures: [] });
  const { text, keep, failure } = line;
  const parser = useParser();
  const task =
    text.length > MAX_LINE ? { title: text.trim(), pieces: [] } : parser?.parseQuickAdd(text, new Date(), keep);
  useWarnBeforeLeaving(failures.length > 0 || failure !== undefined);

  const setLine = (line: Line) => setState((state) => ({ ...state, line }));

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!text.trim()) return;
    setLine(EMPTY);
    void (failure ? send(failure) : add({ text, keep }, task ?? parseLater(text)));
  }

  async function add(typed: Typed, parsed: ParsedTask | Promise<ParsedTask>) {
    const { pieces: _, ...task } = await parsed;
    await send({ ...typed, task, key: crypto.randomUUID() });
  }

  async function send(addition: Addition) {
    const { task, key, text, keep } = addition;
    try {
      const added = await create.mutateAsync({ task, key });
      if (passesFilters(added, filters, new Date())) return;
      toast(`“${shorten(added.title)}” added. Your filters hide it.`, {
        action: { label: "Show all", onClick: onClear },
      });
    } catch (thrown) {
      const failure = { ...addition, error: thrown as Error };
      setState((state) =>
        // Back into the field, unless the user has started another line.
        state.line.text
          ? { ...state, failures: [...state.failures, failure] }
          : { ...state, line: { text, keep, failure } },
      );
    }
  }

  function dismiss(failure: Failure) {
    setState((state) => ({ ...state, failures: state.failures.filter(({ key }) => key !== failure.key) }));
    input.current?.focus();
  }

  return (
    <form method="post" onSubmit={submit} className="grid grid-cols-[minmax(0,1fr)] gap-2">
      <div className="flex gap-2">
        <Input
          ref={input}
          id={QUICK_ADD}
          className="h-12 text-base"
          aria-label="New task"
          aria-describedby="quick-add-hint"
          placeholder="Add a task: Pay the rent tomorrow 5pm !high #home"
          autoComplete="off"
          enterKeyHint="done"
          value={text}
          onChange={(event) => setLine({ text: event.target.value, keep })}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        />
        <Button type="submit" variant="primary" className="h-12" disabled={!hydrated}>
          <Plus />
          <span className="max-sm:sr-only">Add</span>
        </Button>
      </div>
      <p id="quick-add-hint" className="sr-only">
        You can include a day or time, a priority (!high, !medium or !low) and a category (#home).
      </p>
      <div role="status" className="empty:absolute">
        {task && task.pieces.length > 0 && (
          <ul className="flex flex-wrap gap-2" aria-label="Recognized">
            {task.pieces.map((piece) => (
              <li key={piece.index}>
                <Chip
                  piece={piece}
                  task={task}
                  onReject={() => {
                    setLine({ text, keep: new Set([...keep, piece.text]) });
                    input.current?.focus();
                  }}
                />
              </li>
            ))}
          </ul>
        )}
      </div>
      <div role="alert" className="grid grid-cols-[minmax(0,1fr)] gap-2 text-sm empty:absolute">
        {failure && <p className="text-danger">{failureMessage(failure.error)}</p>}
        {failures.map((failure) => (
          <FailedLine
            key={failure.key}
            failure={failure}
            onRetry={() => {
              dismiss(failure);
              void send(failure);
            }}
            onDiscard={() => dismiss(failure)}
          />
        ))}
      </div>
    </form>
  );
}

type FailedLineProps = { failure: Failure; onRetry: () => void; onDiscard: () => void };

function FailedLine({ failure: { text, error }, onRetry, onDiscard }: FailedLineProps) {
  return (
    <div className="flex flex-wrap items-center justify-end gap-2">
      <p className="min-w-3/5 flex-1 text-danger wrap-anywhere">{failureMessage(error, text)}</p>
      <div className="flex gap-2">
        <Button size="small" aria-label={`Retry adding “${shorten(text)}”`} onClick={onRetry}>
          Retry
        </Button>
        <Button size="small" variant="quiet" aria-label={`Discard “${shorten(text)}”`} onClick={onDiscard}>
          Discard
        </Button>
      </div>
    </div>
  );
}

/** Without a response nobody knows whether the task was added, and with the same key that does not matter. */
function failureMessage(error: Error, text?: string): string {
  const subject = text ? `“${shorten(text)}”` : "this task";
  return error instanceof Unreachable
    ? `The server didn’t respond. Retry: ${subject} won’t be added twice.`
    : `Couldn’t add ${subject}. ${error.message}`;
}

function Chip({ piece, task, onReject }: { piece: Piece; task: ParsedTask; onReject: () => void }) {
  const Icon = ICONS[piece.kind];
  const meaning = {
    due: task.dueDate && describeDue(task.dueDate, new Date()),
    priority: task.priority && PRIORITY_NAMES[task.priority],
    category: task.category,
  };
  return (
    <span className="flex items-center gap-1.5 rounded-full border bg-surface py-1 pr-1 pl-3 text-sm">
      <Icon className="size-3.5 text-muted" aria-hidden />
      {meaning[piece.kind]}
      <button
        type="button"
        aria-label={`Keep “${piece.text}” in the title`}
        className="grid size-6 place-items-center rounded-full text-muted hover:bg-raised"
        onClick={onReject}
      >
        <X className="size-3.5" />
      </button>
    </span>
  );
}

const loadParser = () => import("@/lib/quick-add");

/** If the parser cannot be loaded, the whole line is the title. */
async function parseLater(text: string): Promise<ParsedTask> {
  return loadParser().then(
    ({ parseQuickAdd }) => parseQuickAdd(text, new Date()),
    () => ({ title: text.trim(), pieces: [] }),
  );
}

/** Loads the parser after the page, because it knows many date formats and is large. */
function useParser() {
  const [parser, setParser] = useState<Awaited<ReturnType<typeof loadParser>>>();
  useEffect(() => {
    loadParser().then(setParser, () => {}); // offline; `parseLater` retries
  }, []);
  return parser;
}
