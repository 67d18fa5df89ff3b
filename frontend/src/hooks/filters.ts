import { useSearchParams } from "next/navigation";
import { useMemo } from "react";

import { type FilterChange, type Filters, formatFilters, parseFilters } from "@/lib/filters";

/** The filters in the page's address, a function that changes some, and one that clears all but the order. */
export function useFilters(): [Filters, (change: FilterChange) => void, () => void] {
  const params = useSearchParams();
  const filters = useMemo(() => parseFilters(new URLSearchParams(params)), [params]);
  return [filters, change, clear];
}

function change(part: FilterChange) {
  updateAddress({ ...current(), ...part });
}

function clear() {
  updateAddress({ sort: current().sort });
}

function current(): Filters {
  return parseFilters(new URLSearchParams(window.location.search));
}

function updateAddress(filters: FilterChange & Pick<Filters, "sort">) {
  const query = formatFilters(filters);
  // Not through the router: the page stays the same, so the server need not render it again.
  window.history.replaceState(null, "", query ? `?${query}` : window.location.pathname);
}
