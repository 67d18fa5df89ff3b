import { LoaderCircle } from "lucide-react";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import { TYPING } from "@/components/tasks/shortcuts";
import { Failed, NoTasks, NothingFound, Offline, Skeleton } from "@/components/tasks/states";
import { TaskRow } from "@/components/tasks/task-row";
import { useMinute } from "@/hooks/minute";
import { useSingleKeys } from "@/hooks/single-keys";
import { useTasks } from "@/hooks/tasks";
import type { Task } from "@/lib/api";
import { type FilterChange, type Filters, isNarrowed } from "@/lib/filters";
import { cn } from "@/lib/utils";

type Props = { filters: Filters; onChange: (change: FilterChange) => void; onClear: () => void };

export function TaskList({ filters, onChange, onClear }: Props) {
  const { tasks, data, isPending, error, fetchStatus, isFetchingNextPage, fetchNextPage, isPlaceholderData, refetch } =
    useTasks(filters);
  const [editing, setEditing] = useState<ReadonlyMap<string, Task>>(new Map());
  const edit = useCallback((task: Task, open: boolean) => {
    setEditing((all) => new Map(open ? [...all, [task.id, task]] : [...all].filter(([id]) => id !== task.id)));
  }, []);
  const next = data?.pages.at(-1)?.next;
  const end = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const rememberFocus = useLastingFocus(list, frame);
  const now = useMinute();
  const { on: fromAnywhere } = useSingleKeys();

  useEffect(() => {
    const press = (event: KeyboardEvent) => list.current && moveFocus(event, list.current, fromAnywhere);
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [fromAnywhere]);

  useEffect(() => {
    // Looked at anew with each page: if the end is still in sight then, an observer would not tell.
    if (!end.current || !next || isFetchingNextPage || isPlaceholderData || error) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage(), {
      rootMargin: "1200px", // some screens ahead, so that scrolling does not wait
    });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [next, isFetchingNextPage, isPlaceholderData, error, fetchNextPage]);

  // A task that is being edited stays, with what was typed, whatever becomes of it elsewhere.
  const listed = new Set(tasks.map(({ id }) => id));
  const rows = [...[...editing.values()].filter(({ id }) => !listed.has(id)), ...tasks];

  const failed = error && <Failed error={error} onRetry={() => void refetch()} compact={rows.length > 0} />;
  const offline = isPlaceholderData && fetchStatus === "paused"; // these filters have not been asked for

  function content() {
    if (isPending) return fetchStatus === "paused" ? <Offline /> : <Skeleton />;
    if (rows.length || (next && !offline)) return listing();
    if (failed) return failed;
    if (offline) return <Offline />;
    return isNarrowed(filters) ? <NothingFound onClear={onClear} /> : <NoTasks />;
  }

  const listing = () => (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      {failed}
      {offline && (
        <p className="text-muted text-sm">Only the tasks that were here last are searched while you are offline.</p>
      )}
      <ul
        aria-label="Tasks"
        aria-busy={isPlaceholderData && !offline}
        className={cn(
          "divide-y rounded-2xl border bg-surface transition-opacity",
          isPlaceholderData && !offline && "opacity-60",
        )}
        ref={list}
      >
        {rows.map((task) => (
          <TaskRow
            key={task.id}
            task={task}
            now={now}
            editing={editing.has(task.id)}
            onEdit={edit}
            onFilter={onChange}
          />
        ))}
      </ul>
      <div ref={end} className="grid h-10 place-items-center text-muted text-sm">
        {isFetchingNextPage ? (
          <LoaderCircle className="size-5 motion-safe:animate-spin" aria-label="Loading more tasks" />
        ) : null}
        {!next && tasks.length > 20 && `That’s all: ${tasks.length} tasks.`}
      </div>
    </div>
  );

  return (
    <section ref={frame} tabIndex={-1} aria-label="List" className="outline-none" onFocus={rememberFocus}>
      <p role="status" className="sr-only">
        {!isPending && !isPlaceholderData && !error && describe(rows.length, next !== undefined)}
      </p>
      {content()}
    </section>
  );
}

/** For those who do not see the list change. */
function describe(count: number, more: boolean): string {
  if (more) return `The first ${count} tasks are shown.`;
  return count === 0 ? "No tasks." : `${count} ${count === 1 ? "task" : "tasks"}.`;
}

/**
 * When what has the focus goes away, with its task or with its editor, the row that then stands there gets it; where
 * there is none any more, the frame does.
 */
function useLastingFocus(list: RefObject<HTMLUListElement | null>, frame: RefObject<HTMLElement | null>) {
  const last = useRef<{ element: Element; row: number }>(null);
  useLayoutEffect(() => {
    if (!last.current) return;
    const rows = [...(list.current?.children ?? [])];
    const { element } = last.current;
    if (element.isConnected) {
      last.current.row = rows.findIndex((row) => row.contains(element)); // others above it may have come or gone
      return;
    }
    if (document.activeElement !== document.body) return;
    const row = rows[Math.min(last.current.row, rows.length - 1)];
    last.current = null;
    (row?.querySelector<HTMLElement>("[data-task]") ?? frame.current)?.focus();
  });
  return useCallback(
    ({ target }: { target: Element }) => {
      const row = [...(list.current?.children ?? [])].findIndex((each) => each.contains(target));
      last.current = { element: target, row };
    },
    [list],
  );
}

/** j and k go from task to task, and maybe to the first one from anywhere; the arrows only where they do not scroll. */
function moveFocus(event: KeyboardEvent, list: HTMLElement, fromAnywhere: boolean) {
  const target = event.target as HTMLElement;
  const inside = list.contains(target);
  const step = {
    ...((inside || fromAnywhere) && { j: 1, k: -1 }),
    ...(inside && { ArrowDown: 1, ArrowUp: -1 }),
  }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || target.closest(TYPING)) return;
  const rows = [...list.querySelectorAll<HTMLElement>("[data-task]")];
  const present = rows.findIndex((row) => row.closest("li")?.contains(target));
  const next = present < 0 ? rows[0] : rows[present + step];
  next?.focus();
  event.preventDefault();
}
