import { LoaderCircle } from "lucide-react";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import { TYPING } from "@/components/tasks/shortcuts";
import { LoadError, NoTasks, NothingFound, Offline, Skeleton } from "@/components/tasks/states";
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
  const region = useRef<HTMLElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const rememberFocus = useFocusRecovery(list, region);
  const now = useMinute();
  const { on: fromAnywhere } = useSingleKeys();

  useEffect(() => {
    const press = (event: KeyboardEvent) => list.current && moveFocus(event, list.current, fromAnywhere);
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [fromAnywhere]);

  useEffect(() => {
    // A new observer for each page: an old one would not fire if the end is still in view.
    if (!end.current || !next || isFetchingNextPage || isPlaceholderData || error) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage(), {
      rootMargin: "1200px", // some screens ahead, so that the user need not wait while scrolling
    });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [next, isFetchingNextPage, isPlaceholderData, error, fetchNextPage]);

  // A task that is being edited stays in the list with its draft, even if it is gone elsewhere.
  const listed = new Set(tasks.map(({ id }) => id));
  const rows = [...[...editing.values()].filter(({ id }) => !listed.has(id)), ...tasks];

  const loadError = error && <LoadError error={error} onRetry={() => void refetch()} compact={rows.length > 0} />;
  const offline = isPlaceholderData && fetchStatus === "paused"; // and nothing was fetched for these filters

  function content() {
    if (isPending) return fetchStatus === "paused" ? <Offline /> : <Skeleton />;
    if (rows.length || (next && !offline)) return listing();
    if (loadError) return loadError;
    if (offline) return <Offline />;
    return isNarrowed(filters) ? <NothingFound onClear={onClear} /> : <NoTasks />;
  }

  const listing = () => (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      {loadError}
      {offline && (
        <p className="text-muted text-sm">You’re offline. Only tasks that are already loaded are searched.</p>
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
        {!next && tasks.length > 20 && `That’s all ${tasks.length} tasks.`}
      </div>
    </div>
  );

  return (
    <section ref={region} tabIndex={-1} aria-label="List" className="outline-none" onFocus={rememberFocus}>
      <p role="status" className="sr-only">
        {!isPending && !isPlaceholderData && !error && announce(rows.length, next !== undefined)}
      </p>
      {content()}
    </section>
  );
}

/** Tells screen readers how the list has changed. */
function announce(count: number, more: boolean): string {
  if (more) return `Showing the first ${count} tasks.`;
  return count === 0 ? "No tasks." : `${count} ${count === 1 ? "task" : "tasks"}.`;
}

/**
 * If the focused element disappears with its task or its editor, focuses the row that took its place, or the region if
 * there is none.
 */
function useFocusRecovery(list: RefObject<HTMLUListElement | null>, region: RefObject<HTMLElement | null>) {
  const last = useRef<{ element: Element; row: number }>(null);
  useLayoutEffect(() => {
    if (!last.current) return;
    const rows = [...(list.current?.children ?? [])];
    const { element } = last.current;
    if (element.isConnected) {
      last.current.row = rows.findIndex((row) => row.contains(element)); // rows above it may have come or gone
      return;
    }
    if (document.activeElement !== document.body) return;
    const row = rows[Math.min(last.current.row, rows.length - 1)];
    last.current = null;
    (row?.querySelector<HTMLElement>("[data-task]") ?? region.current)?.focus();
  });
  return useCallback(
    ({ target }: { target: Element }) => {
      const row = [...(list.current?.children ?? [])].findIndex((each) => each.contains(target));
      last.current = { element: target, row };
    },
    [list],
  );
}

/** j and k move between tasks, and maybe to the first one from anywhere. The arrows only work where they do not scroll. */
function moveFocus(event: KeyboardEvent, list: HTMLElement, fromAnywhere: boolean) {
  const target = event.target as HTMLElement;
  const inside = list.contains(target);
  const step = {
    ...((inside || fromAnywhere) && { j: 1, k: -1 }),
    ...(inside && { ArrowDown: 1, ArrowUp: -1 }),
  }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || target.closest(TYPING)) return;
  const rows = [...list.querySelectorAll<HTMLElement>("[data-task]")];
  const current = rows.findIndex((row) => row.closest("li")?.contains(target));
  const next = current < 0 ? rows[0] : rows[current + step];
  next?.focus();
  event.preventDefault();
}
