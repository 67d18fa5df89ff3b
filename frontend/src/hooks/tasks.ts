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
import { newTask } from "@/lib/new-task";
import { isRetryableSoon, repeated, retryDelay } from "@/lib/query-client";
import { addTask, COMPLETE, LISTS, refreshAfterWrite, removeTask, storeTask } from "@/lib/task-cache";

const PAGE = 50;

const CREATE = ["create"];

const TEMPORARY_ID = "new-"; // followed by the number of the mutation

/**
 * The tasks that pass the filters, page by page.
 *
 * Pending writes are overlaid on the API's last response rather than stored with it, so a failed write needs no rollback.
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
    // A task that is being added would show twice: as sent and as listed.
    refetchOnWindowFocus: () => queries.isMutating({ mutationKey: CREATE }) === 0,
  });
  const created = usePendingWrites<Addition>(CREATE);
  const completed = usePendingWrites<boolean>(COMPLETE);
  const { data } = query;
  // Offline, without a response for these filters.
  const filtersLocally = query.isPlaceholderData && query.fetchStatus === "paused";
  // A task that changed between two fetches may be on both pages.
  const stored = useMemo(() => [...new Map(data?.pages.flatMap(byId)).values()], [data]);
  if (!data) return { ...query, tasks: [] };

  const now = new Date();
  const { due, status } = filters;
  const isDue = due ? dueFilter(due, now).matches : () => true;
  const requested = new Map(completed.map(({ options, state }) => [options.mutationKey?.at(-1), state.variables]));
  const tasks = [
    ...created
      .map(({ mutationId, state }) => temporaryTask(mutationId, (state.variables as Addition).task))
      .filter((task) => passesFilters(task, filters, now))
      .reverse(),
    ...stored
      .map((task) => withStatus(task, requested.get(task.id)))
      .filter((task) => isDue(task) && (!status || task.status === status) && !hidden.has(task.id))
      .filter((task) => !filtersLocally || passesFilters(task, filters, now)),
  ];
  return { ...query, tasks };
}

const byId = (page: Page) => page.tasks.map((task) => [task.id, task] as const);

function withStatus(task: Task, completed = task.completed): Task {
  return completed === task.completed ? task : { ...task, completed, status: completed ? "completed" : "pending" };
}

/** Writes without a response, oldest first. */
function usePendingWrites<Variables>(mutationKey: MutationKey) {
  const filters = { mutationKey, status: "pending" } as const;
  const mutations = useQueryClient().getMutationCache();
  useMutationState({ filters, select: ({ mutationId }) => mutationId }); // renders again when they change
  // Read from the cache, because that state lags behind: a task would show twice, as sent and as received.
  return mutations.findAll(filters) as Mutation<unknown, Error, Variables>[];
}

/** `key` stays the same for as long as this one task is to be added, however often that is tried. */
export type Addition = { task: TaskCreate; key: string };

/**
 * Shows the task at once in the lists whose filters it passes, with a temporary id until the API responds. If the
 * response is lost, the addition is sent again with its key, so it adds one task.
 */
export function useCreateTask() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationKey: CREATE,
    mutationFn: ({ task, key }: Addition) => api.createTask(task, key),
    ...repeated,
    onSuccess: (task) => addTask(queries, task),
    onSettled: (_, error) => refreshAfterWrite(queries, error),
  });
}

export const isTemporary = ({ id }: Task) => id.startsWith(TEMPORARY_ID);

function temporaryTask(mutationId: number, task: TaskCreate): Task {
  return { ...newTask(task), id: `${TEMPORARY_ID}${mutationId}` };
}

/** Throws ApiError `precondition-failed` if the task no longer has `task.version`. */
export function usePatchTask() {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    networkMode: "always", // without a network the mutation must fail instead of wait, so that the editor can say so
    mutationFn: ({ task, patch }: { task: Pick<Task, "id" | "version">; patch: TaskPatch }) =>
      api.patchTask(task.id, patch, task.version),
    onSuccess: (task) => storeTask(queries, task),
    onSettled: (_, error) => refreshAfterWrite(queries, error),
  });
}

/** Corrects the lists for a task that turns out to be changed or gone. */
export function useTaskCache() {
  const queries = useQueryClient();
  return {
    store: (task: Task) => storeTask(queries, task),
    remove: ({ id }: Task) => {
      removeTask(queries, id);
      refreshAfterWrite(queries);
    },
  };
}

/** Whether a click on the task's checkbox has no response yet. */
export function useIsCompleting({ id }: Task): boolean {
  return useIsMutating({ mutationKey: [...COMPLETE, id] }) > 0;
}

/** Completes or reopens one task. The change shows at once, and the last of several clicks counts. */
export function useCompleteTask(task: Task) {
  const api = useApi();
  const queries = useQueryClient();
  const { trackVersion } = useDeletions();
  return useMutation({
    mutationKey: [...COMPLETE, task.id],
    scope: { id: task.id }, // in order
    mutationFn: (completed: boolean) => api.completeTask(task.id, completed),
    retry: (failures, error) => failures < 1 && error instanceof ApiError && isRetryableSoon(failures, error),
    retryDelay,
    onSuccess: (updated) => {
      storeTask(queries, updated);
      trackVersion(updated);
    },
    onError: (error) => {
      if (error instanceof ApiError && error.status === 404) removeTask(queries, task.id);
      toast.error(error.message);
    },
    onSettled: (_, error) => refreshAfterWrite(queries, error),
  });
}
