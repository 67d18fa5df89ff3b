import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { toast } from "sonner";

import { useApi } from "@/hooks/api";
import { useDeletions } from "@/hooks/deletions";
import type { Task, TaskCreate, TaskPatch } from "@/lib/api";
import { dueFilter } from "@/lib/due";
import { ApiError } from "@/lib/errors";
import { type Filters, toQuery } from "@/lib/filters";
import { passes, waitFor } from "@/lib/query-client";
import { addTask, afterWrite, LISTS, replaceTask } from "@/lib/task-cache";

const PAGE = 50;

/** The tasks that pass the filters, page after page as they are asked for. */
export function useTasks(filters: Filters) {
  const api = useApi();
  const { hidden } = useDeletions();
  const query = useInfiniteQuery({
    queryKey: [...LISTS, filters],
    queryFn: ({ pageParam, signal }) =>
      api.findTasks({ ...toQuery(filters, new Date()), limit: PAGE }, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
  const { data } = query;
  const { due, status } = filters;
  const tasks = useMemo(() => {
    const isDue = due ? dueFilter(due, new Date()).matches : () => true;
    const shown = (task: Task) => isDue(task.dueDate) && (!status || task.status === status) && !hidden.has(task.id);
    return data?.pages.flatMap((page) => page.tasks.filter(shown)) ?? [];
  }, [data, due, status, hidden]);
  return { ...query, tasks };
}

/** Shows the task at once, in the lists whose filters it passes; it has the id `new` until the API has given it one. Takes it away again on failure. */
export function useCreateTask() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (task: TaskCreate) => api.createTask(task),
    onMutate: (task) => {
      const temporary = { ...draftOf(task), id: `new-${crypto.randomUUID()}` };
      addTask(queries, temporary);
      return temporary.id;
    },
    onSuccess: (task, _, id) => replaceTask(queries, id, () => task),
    onError: (_error, _task, id) => id && replaceTask(queries, id, () => undefined),
    onSettled: () => afterWrite(queries),
  });
}

export const isTemporary = ({ id }: Task) => id.startsWith("new-");

function draftOf(task: TaskCreate): Omit<Task, "id"> {
  const now = new Date().toISOString();
  return {
    userId: "",
    description: null,
    priority: "medium",
    category: "other",
    dueDate: null,
    status: "pending",
    completed: false,
    completedAt: null,
    version: 0,
    createdAt: now,
    updatedAt: now,
    ...task,
  };
}

/** Throws ApiError `precondition-failed` if the task is not at `task.version` any more. */
export function usePatchTask() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ task, patch }: { task: Pick<Task, "id" | "version">; patch: TaskPatch }) =>
      api.patchTask(task.id, patch, task.version),
    onSuccess: (task) => replaceTask(queries, task.id, () => task),
    onSettled: () => afterWrite(queries),
  });
}

/** For a task that turned out to be other than it is shown: changed, or gone. */
export function useFoundTask() {
  const queries = useQueryClient();
  return {
    show: (task: Task) => replaceTask(queries, task.id, () => task),
    forget: ({ id }: Task) => {
      replaceTask(queries, id, () => undefined);
      afterWrite(queries);
    },
  };
}

/** Completes or reopens one task. It shows at once, and is taken back on failure. */
export function useCompleteTask(task: Task) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    scope: { id: task.id }, // one after the other, so that the last click counts
    mutationFn: (completed: boolean) => api.completeTask(task.id, completed),
    retry: (failures, error) => failures < 1 && passes(error) && error instanceof ApiError,
    retryDelay: waitFor,
    onMutate: (completed) => {
      const status = completed ? "completed" : "pending";
      replaceTask(queries, task.id, (shown) => ({ ...shown, completed, status }));
    },
    onSuccess: (saved) => replaceTask(queries, task.id, () => saved),
    onError: (error, completed) => {
      const { status } = task;
      const gone = error instanceof ApiError && error.status === 404;
      replaceTask(queries, task.id, (shown) => (gone ? undefined : { ...shown, completed: !completed, status }));
      toast.error(error.message);
    },
    onSettled: () => afterWrite(queries),
  });
}
