import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import type { Page, Stats, Task } from "@/lib/api";
import { isOverdue } from "@/lib/due";
import { Unreachable } from "@/lib/errors";
import { type Filters, passesFilters } from "@/lib/filters";

export const LISTS = ["tasks"];
export const STATS = ["stats"];
export const COMPLETE = ["complete"]; // followed by the id of the task

type Pages = InfiniteData<Page, string | undefined>;

/** Updates the task in every list, unless a list already has a newer version. */
export function storeTask(queries: QueryClient, task: Task) {
  replaceTask(queries, task.id, (cached) => (cached.version > task.version ? cached : task));
}

/** Removes a task from every list. */
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
 * Adds a new task at the top of each visible list whose filters it passes, so that the user sees it. The next fetch
 * puts it in order.
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
 * Refreshes what a write may have made stale. The lists are fetched again if a fetch is in progress, whose response may
 * be older than the write, or if the write got no response and may or may not have happened.
 */
export function refreshAfterWrite(queries: QueryClient, error?: unknown) {
  void queries.invalidateQueries({ queryKey: STATS });
  const refetch = error instanceof Unreachable || queries.isFetching({ queryKey: LISTS }) > 0;
  void queries.invalidateQueries({ queryKey: LISTS, refetchType: refetch ? "active" : "none" });
}

/** Removes a deleted task from the lists and the counts, so that no stale number shows until the next fetch. */
export function removeDeletedTask(queries: QueryClient, task: Task) {
  removeTask(queries, task.id);
  queries.setQueriesData<Stats>({ queryKey: STATS }, (stats) => stats && subtractTasks(stats, [task]));
}

/** The counts without these tasks. */
export function subtractTasks(stats: Stats, tasks: Task[]): Stats {
  const pending = tasks.filter((task) => !task.completed);
  const overdue = pending.filter(({ dueDate }) => dueDate && isOverdue(dueDate, new Date()));
  return {
    total: stats.total - tasks.length,
    pending: stats.pending - pending.length,
    completed: stats.completed - (tasks.length - pending.length),
    overdue: Math.max(0, stats.overdue - overdue.length),
  };
}
