import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import type { Page, Stats, Task } from "@/lib/api";
import { isOverdue } from "@/lib/due";
import { Unreachable } from "@/lib/errors";
import { type Filters, passesFilters } from "@/lib/filters";

export const LISTS = ["tasks"];
export const STATS = ["stats"];
export const COMPLETE = ["complete"]; // and the task's id: a completion that is under way

type Pages = InfiniteData<Page, string | undefined>;

/** Put an answer wherever the task is listed, unless a later one came sooner. */
export function storeTask(queries: QueryClient, task: Task) {
  replaceTask(queries, task.id, (known) => (known.version > task.version ? known : task));
}

/** Take a task that is gone out of the lists. */
export function removeTask(queries: QueryClient, id: string) {
  replaceTask(queries, id, () => undefined);
}

function replaceTask(queries: QueryClient, id: string, replace: (task: Task) => Task | undefined) {
  queries.setQueriesData<Pages>({ queryKey: LISTS }, (data) => {
    if (!data?.pages.some(({ tasks }) => tasks.some((task) => task.id === id))) return data;
    const change = (task: Task) => (task.id === id ? (replace(task) ?? []) : task);
    return { ...data, pages: data.pages.map((page) => ({ ...page, tasks: page.tasks.flatMap(change) })) };
  });
}

/**
 * Put a new task where it is seen, which is at the top of each list whose filters it passes, whatever the order: it
 * finds its place at the next look.
 */
export function addTask(queries: QueryClient, task: Task) {
  for (const { queryKey } of queries.getQueryCache().findAll({ queryKey: LISTS, type: "active" })) {
    if (!passesFilters(task, queryKey[LISTS.length] as Filters, new Date())) continue;
    queries.setQueryData<Pages>(queryKey, (data) => {
      const [first, ...rest] = data?.pages ?? [];
      if (!data || !first || data.pages.some(({ tasks }) => tasks.some(({ id }) => id === task.id))) return data;
      return { ...data, pages: [{ ...first, tasks: [task, ...first.tasks] }, ...rest] };
    });
  }
}

/**
 * After a write. An answer that is under way may be older than the write, so it is asked for again; and so is the list
 * after a write that got no answer, which may have been done or not.
 */
export function afterWrite(queries: QueryClient, error?: unknown) {
  void queries.invalidateQueries({ queryKey: STATS });
  const ask = error instanceof Unreachable || queries.isFetching({ queryKey: LISTS }) > 0;
  void queries.invalidateQueries({ queryKey: LISTS, refetchType: ask ? "active" : "none" });
}

/** After a deletion. The task is not counted either, so that no old number is seen until there is a new one. */
export function forgetTask(queries: QueryClient, task: Task) {
  removeTask(queries, task.id);
  queries.setQueriesData<Stats>({ queryKey: STATS }, (stats) => stats && countOut(stats, [task]));
}

/** The counts without these tasks. */
export function countOut(stats: Stats, tasks: Task[]): Stats {
  const pending = tasks.filter((task) => !task.completed);
  const overdue = pending.filter(({ dueDate }) => dueDate && isOverdue(dueDate, new Date()));
  return {
    total: stats.total - tasks.length,
    pending: stats.pending - pending.length,
    completed: stats.completed - (tasks.length - pending.length),
    overdue: Math.max(0, stats.overdue - overdue.length),
  };
}
