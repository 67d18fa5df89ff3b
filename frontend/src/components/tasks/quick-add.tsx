import { CalendarDays, Flag, Plus, Tag, X } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { toast } from "sonner";

import { QUICK_ADD } from "@/components/tasks/shortcuts";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { useHydrated } from "@/hooks/hydrated";
import { useCreateTask } from "@/hooks/tasks";
import { useUnsaved } from "@/hooks/unsaved";
import type { TaskCreate } from "@/lib/api";
import { describeDue } from "@/lib/due";
import { Unreachable } from "@/lib/errors";
import { type Filters, PRIORITY_NAMES, passesFilters } from "@/lib/filters";
import type { Found, QuickAdd as Understood } from "@/lib/quick-add";
import { shorten } from "@/lib/utils";

const MAX_LINE = 500; // characters; what is longer was not typed as one line, and would take long to look through

const ICONS = { due: CalendarDays, priority: Flag, category: Tag };

/** What is in the field, or was. `keep` holds the pieces that are to stay in the title, `error` why it came back. */
type Line = { text: string; keep: ReadonlySet<string>; error?: Error };
type Failure = { id: string; line: Line; task: TaskCreate };

const EMPTY: Line = { text: "", keep: new Set() };

/** One line that becomes a task. What is understood of it is shown before it is sent, and can be refused. */
export function QuickAdd({ filters, onClear }: { filters: Filters; onClear: () => void }) {
  const hydrated = useHydrated();
  const create = useCreateTask();
  const input = useRef<HTMLInputElement>(null);
  // Together, because where a failed line goes depends on what is in the field by then.
  const [{ line, failures }, setState] = useState<{ line: Line; failures: Failure[] }>({ line: EMPTY, failures: [] });
  const { text, keep, error } = line;
  const parser = useParser();
  const task =
    text.length > MAX_LINE ? { title: text.trim(), found: [] } : parser?.parseQuickAdd(text, new Date(), keep);
  useUnsaved(failures.length > 0 || error !== undefined);

  const setLine = (line: Line) => setState((now) => ({ ...now, line }));

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!text.trim()) return;
    setLine(EMPTY);
    void add({ text, keep }, task ?? parseLater(text));
  }

  async function add(line: Line, understood: Understood | Promise<Understood>) {
    const { found: _, ...task } = await understood;
    await send({ id: crypto.randomUUID(), line, task });
  }

  async function send({ id, line, task }: Failure) {
    try {
      const added = await create.mutateAsync(task);
      if (passesFilters(added, filters, new Date())) return;
      toast(`“${shorten(added.title)}” is added. The filters hide it.`, {
        action: { label: "Show all", onClick: onClear },
      });
    } catch (thrown) {
      const failed = { ...line, error: thrown as Error };
      setState((now) =>
        // Back into the field, unless something else has been begun there.
        now.line.text ? { ...now, failures: [...now.failures, { id, line: failed, task }] } : { ...now, line: failed },
      );
    }
  }

  function take(failure: Failure) {
    setState((now) => ({ ...now, failures: now.failures.filter(({ id }) => id !== failure.id) }));
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
        A day or time, an exclamation mark with high, medium or low, and a number sign with a category are understood.
      </p>
      <div role="status" className="empty:absolute">
        {task && task.found.length > 0 && (
          <ul className="flex flex-wrap gap-2" aria-label="Understood">
            {task.found.map((found) => (
              <li key={found.index}>
                <Chip
                  found={found}
                  task={task}
                  onRefuse={() => {
                    setLine({ ...line, keep: new Set([...keep, found.text]) });
                    input.current?.focus();
                  }}
                />
              </li>
            ))}
          </ul>
        )}
      </div>
      <div role="alert" className="grid grid-cols-[minmax(0,1fr)] gap-2 text-sm empty:absolute">
        {error && <p className="text-danger">{sentence(error)}</p>}
        {failures.map((failure) => (
          <Failed
            key={failure.id}
            line={failure.line}
            onRetry={() => {
              take(failure);
              void send(failure);
            }}
            onDiscard={() => take(failure)}
          />
        ))}
      </div>
    </form>
  );
}

function Failed({ line, onRetry, onDiscard }: { line: Line; onRetry: () => void; onDiscard: () => void }) {
  return (
    <div className="flex flex-wrap items-center justify-end gap-2">
      <p className="min-w-3/5 flex-1 text-danger wrap-anywhere">{line.error && sentence(line.error, line.text)}</p>
      <div className="flex gap-2">
        <Button size="small" aria-label={`Try again to add “${shorten(line.text)}”`} onClick={onRetry}>
          Try again
        </Button>
        <Button size="small" variant="quiet" aria-label={`Discard “${shorten(line.text)}”`} onClick={onDiscard}>
          Discard
        </Button>
      </div>
    </div>
  );
}

/** Without an answer it is not known what became of the request. */
function sentence(error: Error, text?: string): string {
  const subject = text ? `“${shorten(text)}”` : "this";
  return error instanceof Unreachable
    ? `No answer came, so ${subject} may have been added or not. Look before you add it again.`
    : `${text ? subject : "This"} was not added. ${error.message}`;
}

function Chip({ found, task, onRefuse }: { found: Found; task: Understood; onRefuse: () => void }) {
  const Icon = ICONS[found.kind];
  const meaning = {
    due: task.dueDate && describeDue(task.dueDate, new Date()),
    priority: task.priority && PRIORITY_NAMES[task.priority],
    category: task.category,
  };
  return (
    <span className="flex items-center gap-1.5 rounded-full border bg-surface py-1 pr-1 pl-3 text-sm">
      <Icon className="size-3.5 text-muted" aria-hidden />
      {meaning[found.kind]}
      <button
        type="button"
        aria-label={`Leave “${found.text}” in the title`}
        className="grid size-6 place-items-center rounded-full text-muted hover:bg-raised"
        onClick={onRefuse}
      >
        <X className="size-3.5" />
      </button>
    </span>
  );
}

const loadParser = () => import("@/lib/quick-add");

/** Without the parser, which may be out of reach now, the line is a title as it stands. */
async function parseLater(text: string): Promise<Understood> {
  return loadParser().then(
    ({ parseQuickAdd }) => parseQuickAdd(text, new Date()),
    () => ({ title: text.trim(), found: [] }),
  );
}

/** The parser knows many forms of dates, so it is large, and comes after the page is there. */
function useParser() {
  const [parser, setParser] = useState<Awaited<ReturnType<typeof loadParser>>>();
  useEffect(() => {
    loadParser().then(setParser, () => {}); // offline; adding tries again
  }, []);
  return parser;
}
