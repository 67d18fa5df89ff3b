import {
  keepPreviousData,
  type Mutation,
  type MutationKey,
  useInfiniteQuery,
  useIsMutating,
  useMutation,
  useMutationState,
  useQueryClient,
} from "@tanstack/react-query";
import { useMemo } from "react";
import { toast } from "sonner";

import { useApi } from "@/hooks/api";
import { useDeletions } from "@/hooks/deletions";
import type { Page, Task, TaskCreate, TaskPatch } from "@/lib/api";
import { dueFilter } from "@/lib/due";
import { ApiError } from "@/lib/errors";
import { type Filters, passesFilters, toQuery } from "@/lib/filters";
import { retries, waitFor } from "@/lib/query-client";
import { addTask, afterWrite, COMPLETE, LISTS, removeTask, storeTask } from "@/lib/task-cache";

const PAGE = 50;

const CREATE = ["create"];

const TEMPORARY = "new-";

/**
 * The tasks that pass the filters, page after page as they are asked for.
 *
 * What has been asked for and not yet answered is laid over what the API last said, and is gone with the answer: there
 * is nothing to take back.
 */
export function useTasks(filters: Filters) {
  const api = useApi();
  const queries = useQueryClient();
  const { hidden } = useDeletions();
  const query = useInfiniteQuery({
    queryKey: [...LISTS, filters],
    queryFn: ({ pageParam, signal }) =>
      api.findTasks({ ...toQuery(filters, new Date()), limit: PAGE }, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    // A task that is being added would be seen twice, as it was sent and as it was listed.
    refetchOnWindowFocus: () => queries.isMutating({ mutationKey: CREATE }) === 0,
  });
  const created = useUnderWay<TaskCreate>(CREATE);
  const completed = useUnderWay<boolean>(COMPLETE);
  const { data } = query;
  const unasked = query.isPlaceholderData && query.fetchStatus === "paused"; // as far as can be said without the API
  // A task that was changed between two pages may be on both.
  const stored = useMemo(() => [...new Map(data?.pages.flatMap(byId)).values()], [data]);
  if (!data) return { ...query, tasks: [] };

  const now = new Date();
  const { due, status } = filters;
  const isDue = due ? dueFilter(due, now).matches : () => true;
  const wishes = new Map(completed.map(({ options, state }) => [options.mutationKey?.at(-1), state.variables]));
  const tasks = [
    ...created
      .map(({ mutationId, state }) => ({ ...draftOf(state.variables as TaskCreate), id: `${TEMPORARY}${mutationId}` }))
      .filter((task) => passesFilters(task, filters, now))
      .reverse(),
    ...stored
      .map((task) => withStatus(task, wishes.get(task.id)))
      .filter((task) => isDue(task) && (!status || task.status === status) && !hidden.has(task.id))
      .filter((task) => !unasked || passesFilters(task, filters, now)),
  ];
  return { ...query, tasks };
}

const byId = (page: Page) => page.tasks.map((task) => [task.id, task] as const);

function withStatus(task: Task, completed = task.completed): Task {
  return completed === task.completed ? task : { ...task, completed, status: completed ? "completed" : "pending" };
}

/** Writes without an answer, the oldest first. */
function useUnderWay<Variables>(mutationKey: MutationKey) {
  const filters = { mutationKey, status: "pending" } as const;
  const mutations = useQueryClient().getMutationCache();
  useMutationState({ filters, select: ({ mutationId }) => mutationId }); // look again when there are others
  // Not what was true when that was said: a task would be seen twice, as it was sent and as it was answered.
  return mutations.findAll(filters) as Mutation<unknown, Error, Variables>[];
}

/** Shows the task at once, in the lists whose filters it passes; until the API has given it an id it has another. */
export function useCreateTask() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationKey: CREATE,
    mutationFn: (task: TaskCreate) => api.createTask(task),
    onSuccess: (task) => addTask(queries, task),
    onSettled: (_, error) => afterWrite(queries, error),
  });
}

export const isTemporary = ({ id }: Task) => id.startsWith(TEMPORARY);

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
    networkMode: "always", // the editor stays open without a network; it has to hear that there is none
    mutationFn: ({ task, patch }: { task: Pick<Task, "id" | "version">; patch: TaskPatch }) =>
      api.patchTask(task.id, patch, task.version),
    onSuccess: (task) => storeTask(queries, task),
    onSettled: (_, error) => afterWrite(queries, error),
  });
}

/** For a task that turned out to be other than it is shown: changed, or gone. */
export function useFoundTask() {
  const queries = useQueryClient();
  return {
    show: (task: Task) => storeTask(queries, task),
    forget: ({ id }: Task) => {
      removeTask(queries, id);
      afterWrite(queries);
    },
  };
}

/** Whether a click on the task's checkbox has no answer yet. */
export function useIsCompleting({ id }: Task): boolean {
  return useIsMutating({ mutationKey: [...COMPLETE, id] }) > 0;
}

/** Completes or reopens one task. It shows at once; of several wishes the last one counts. */
export function useCompleteTask(task: Task) {
  const api = useApi();
  const queries = useQueryClient();
  const { saved } = useDeletions();
  return useMutation({
    mutationKey: [...COMPLETE, task.id],
    scope: { id: task.id }, // one after the other
    mutationFn: (completed: boolean) => api.completeTask(task.id, completed),
    retry: (failures, error) => failures < 1 && error instanceof ApiError && retries(failures, error),
    retryDelay: waitFor,
    onSuccess: (answer) => {
      storeTask(queries, answer);
      saved(answer);
    },
    onError: (error) => {
      if (error instanceof ApiError && error.status === 404) removeTask(queries, task.id);
      toast.error(error.message);
    },
    onSettled: (_, error) => afterWrite(queries, error),
  });
}
