import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { useApi } from "@/hooks/api";
import { useDeletions } from "@/hooks/deletions";
import { useMinute } from "@/hooks/minute";
import { localDay } from "@/lib/due";
import { recovery } from "@/lib/query-client";
import { countOut, STATS } from "@/lib/task-cache";

const MINUTE = 60_000; // milliseconds

/** The API's counts, less the tasks that are deleted for the eye. */
export function useStats() {
  const api = useApi();
  const { hidden } = useDeletions();
  const today = localDay(new Date(useMinute()));
  const { data } = useQuery({
    queryKey: [...STATS, today],
    queryFn: ({ signal }) => api.getStats(today, signal),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => recovery(query) || MINUTE, // tasks become overdue without being written to
  });
  return data && countOut(data, [...hidden.values()]);
}
