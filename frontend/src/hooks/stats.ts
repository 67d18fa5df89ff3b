import { useQuery } from "@tanstack/react-query";

import { useApi } from "@/hooks/api";
import { useDeletions } from "@/hooks/deletions";
import { isOverdue } from "@/lib/due";
import { STATS } from "@/lib/task-cache";

/** The API's counts, less the tasks that are deleted for the eye. */
export function useStats() {
  const api = useApi();
  const { hidden } = useDeletions();
  const { data } = useQuery({ queryKey: STATS, queryFn: ({ signal }) => api.getStats(signal) });
  if (!data) return undefined;
  const gone = [...hidden.values()];
  const pending = gone.filter((task) => !task.completed);
  const overdue = pending.filter(({ dueDate }) => dueDate && isOverdue(dueDate, new Date()));
  return {
    total: data.total - gone.length,
    pending: data.pending - pending.length,
    completed: data.completed - (gone.length - pending.length),
    overdue: Math.max(0, data.overdue - overdue.length),
  };
}
