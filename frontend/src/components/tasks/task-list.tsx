import { LoaderCircle } from "lucide-react";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import { TYPING } from "@/components/tasks/shortcuts";
import { Failed, NoTasks, NothingFound, Offline, Skeleton } from "@/components/tasks/states";
import { TaskRow } from "@/components/tasks/task-row";
import { useMinute } from "@/hooks/minute";
import { useTasks } from "@/hooks/tasks";
import type { Task } from "@/lib/api";
import { type Filters, isNarrowed } from "@/lib/filters";
import { cn } from "@/lib/utils";

type Props = { filters: Filters; onChange: (change: Partial<Filters>) => void; onClear: () => void };

export function TaskList({ filters, onChange, onClear }: Props) {
  const { tasks, data, isPending, error, fetchStatus, isFetchingNextPage, fetchNextPage, isPlaceholderData, refetch } =
    useTasks(filters);
  const [editing, setEditing] = useState<ReadonlyMap<string, Task>>(new Map());
  const edit = useCallback((task: Task, open: boolean) => {
    setEditing((all) => new Map(open ? [...all, [task.id, task]] : [...all].filter(([id]) => id !== task.id)));
  }, []);
  const next = data?.pages.at(-1)?.next;
  const end = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const rememberFocus = useLastingFocus(list);
  const now = useMinute();

  useEffect(() => {
    const press = (event: KeyboardEvent) => list.current && moveFocus(event, list.current);
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);

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

  if (isPending) return fetchStatus === "paused" ? <Offline /> : <Skeleton />;

  const failed = error && <Failed error={error} onRetry={() => void refetch()} compact={rows.length > 0} />;
  if (!rows.length && !next) {
    if (failed) return failed;
    return isNarrowed(filters) ? <NothingFound onClear={onClear} /> : <NoTasks />;
  }

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-3">
      {failed}
      <ul
        aria-label="Tasks"
        aria-busy={isPlaceholderData}
        className={cn("divide-y rounded-2xl border bg-surface transition-opacity", isPlaceholderData && "opacity-60")}
        ref={list}
        onFocus={rememberFocus}
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
      <div ref={end} role="status" className="grid h-10 place-items-center text-muted text-sm">
        {isFetchingNextPage ? (
          <LoaderCircle className="size-5 motion-safe:animate-spin" aria-label="Loading more tasks" />
        ) : null}
        {!next && tasks.length > 20 && `That’s all: ${tasks.length} tasks.`}
      </div>
    </div>
  );
}

/** When what has the focus goes away, with its task or with its editor, the row that then stands there gets it. */
function useLastingFocus(list: RefObject<HTMLUListElement | null>) {
  const last = useRef<{ element: Element; row: number }>(null);
  useLayoutEffect(() => {
    if (!last.current || last.current.element.isConnected || document.activeElement !== document.body) return;
    const rows = [...(list.current?.children ?? [])];
    const row = rows[Math.min(last.current.row, rows.length - 1)];
    row?.querySelector<HTMLElement>("[data-task]")?.focus();
  });
  return useCallback(
    ({ target }: { target: Element }) => {
      const row = [...(list.current?.children ?? [])].findIndex((each) => each.contains(target));
      last.current = { element: target, row };
    },
    [list],
  );
}

/** j and k go from task to task, and to the first one from anywhere; the arrows only where they do not scroll. */
function moveFocus(event: KeyboardEvent, list: HTMLElement) {
  const target = event.target as HTMLElement;
  const inside = list.contains(target);
  const step = { j: 1, k: -1, ...(inside && { ArrowDown: 1, ArrowUp: -1 }) }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || target.closest(TYPING)) return;
  const rows = [...list.querySelectorAll<HTMLElement>("[data-task]")];
  const present = rows.findIndex((row) => row.closest("li")?.contains(target));
  const next = present < 0 ? rows[0] : rows[present + step];
  next?.focus();
  event.preventDefault();
}
