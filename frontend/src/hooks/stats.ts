import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { useApi } from "@/hooks/api";
import { useDeletions } from "@/hooks/deletions";
import { useMinute } from "@/hooks/minute";
import { localDay } from "@/lib/due";
import { recoveryInterval } from "@/lib/query-client";
import { STATS, subtractTasks } from "@/lib/task-cache";

const MINUTE = 60_000; // milliseconds

/** The API's counts, without the tasks that are hidden as deleted. */
export function useStats() {
  const api = useApi();
  const { hidden } = useDeletions();
  const today = localDay(new Date(useMinute()));
  const { data } = useQuery({
    queryKey: [...STATS, today],
    queryFn: ({ signal }) => api.getStats(today, signal),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => recoveryInterval(query) || MINUTE, // tasks become overdue without a write
  });
  return data && subtractTasks(data, [...hidden.values()]);
}
