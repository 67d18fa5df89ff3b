import { CalendarDays, Flag, Plus, Tag, X } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { toast } from "sonner";

import { QUICK_ADD } from "@/components/tasks/shortcuts";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { useHydrated } from "@/hooks/hydrated";
import { useCreateTask } from "@/hooks/tasks";
import { describeDue } from "@/lib/due";
import { type Filters, passesFilters } from "@/lib/filters";
import type { Found, QuickAdd as Understood } from "@/lib/quick-add";

const MAX_LINE = 500; // characters; what is longer was not typed as one line, and would take long to look through

const ICONS = { due: CalendarDays, priority: Flag, category: Tag };

/** One line that becomes a task. What is understood of it is shown before it is sent, and can be refused. */
export function QuickAdd({ filters, onClear }: { filters: Filters; onClear: () => void }) {
  const hydrated = useHydrated();
  const create = useCreateTask();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [keep, setKeep] = useState<ReadonlySet<string>>(new Set());
  const [problem, setProblem] = useState("");
  const parser = useParser();
  const task =
    text.length > MAX_LINE ? { title: text.trim(), found: [] } : parser?.parseQuickAdd(text, new Date(), keep);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const { found: _, ...body } = task ?? (await parseLater(text));
    if (!body.title) return;
    setText("");
    setKeep(new Set());
    setProblem("");
    create.mutate(body, {
      onSuccess: (added) => {
        if (passesFilters(added, filters, new Date())) return;
        toast(`“${added.title}” is added. The filters hide it.`, { action: { label: "Show all", onClick: onClear } });
      },
      onError: (error) => {
        // Back into the field, unless something else has been begun there.
        setText((present) => present || text);
        setProblem(`This was not added. ${error.message}`);
      },
    });
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
          onChange={(event) => {
            setText(event.target.value);
            setProblem("");
          }}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        />
        <Button type="submit" variant="primary" className="h-12" disabled={!hydrated}>
          <Plus />
          Add
        </Button>
      </div>
      <p id="quick-add-hint" className="sr-only">
        A day or time, an exclamation mark with high, medium or low, and a number sign with a category are understood.
      </p>
      {task && task.found.length > 0 && (
        <ul className="flex flex-wrap gap-2" aria-label="Understood">
          {task.found.map((found) => (
            <li key={found.index}>
              <Chip
                found={found}
                task={task}
                onRefuse={() => {
                  setKeep(new Set([...keep, found.text]));
                  input.current?.focus();
                }}
              />
            </li>
          ))}
        </ul>
      )}
      <div role="alert" className="empty:absolute">
        {problem && <p className="text-danger text-sm">{problem}</p>}
      </div>
    </form>
  );
}

function Chip({ found, task, onRefuse }: { found: Found; task: Understood; onRefuse: () => void }) {
  const Icon = ICONS[found.kind];
  const meaning = {
    due: task.dueDate && describeDue(task.dueDate, new Date()),
    priority: task.priority,
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
