import { useSearchParams } from "next/navigation";
import { useMemo } from "react";

import { type FilterChange, type Filters, formatFilters, parseFilters } from "@/lib/filters";

/** The filters of the page's address, a function that changes some of them, and one that clears all but the order. */
export function useFilters(): [Filters, (change: FilterChange) => void, () => void] {
  const params = useSearchParams();
  const filters = useMemo(() => parseFilters(new URLSearchParams(params)), [params]);
  return [filters, change, clear];
}

function change(part: FilterChange) {
  show({ ...present(), ...part });
}

function clear() {
  show({ sort: present().sort });
}

function present(): Filters {
  return parseFilters(new URLSearchParams(window.location.search));
}

function show(filters: FilterChange & Pick<Filters, "sort">) {
  const query = formatFilters(filters);
  // Without asking the server: the page is the same, only the list differs.
  window.history.replaceState(null, "", query ? `?${query}` : window.location.pathname);
}
