import { useQuery } from "@tanstack/react-query";

import { useApi } from "@/hooks/api";
import { useDeletions } from "@/hooks/deletions";
import { localDay } from "@/lib/due";
import { countOut, STATS } from "@/lib/task-cache";

/** The API's counts, less the tasks that are deleted for the eye. */
export function useStats() {
  const api = useApi();
  const { hidden } = useDeletions();
  const today = localDay(new Date());
  const { data } = useQuery({ queryKey: [...STATS, today], queryFn: ({ signal }) => api.getStats(today, signal) });
  return data && countOut(data, [...hidden.values()]);
}
