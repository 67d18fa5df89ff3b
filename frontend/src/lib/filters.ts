import type { Task, TaskQuery } from "@/lib/api";
import { DUE_FILTERS, type DueFilter, dueFilter } from "@/lib/due";

export const STATUSES = ["pending", "completed"] as const;
export const PRIORITIES = ["high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];
export const PRIORITY_NAMES = { high: "High", medium: "Medium", low: "Low" } as const;
export const SORTS = {
  newest: { sort_by: "createdAt", sort_order: "desc" },
  oldest: { sort_by: "createdAt", sort_order: "asc" },
  changed: { sort_by: "updatedAt", sort_order: "desc" },
  due: { sort_by: "dueDate", sort_order: "asc" },
  priority: { sort_by: "priority", sort_order: "desc" },
  title: { sort_by: "title", sort_order: "asc" },
} as const satisfies Record<string, Pick<TaskQuery, "sort_by" | "sort_order">>;

export const MAX_SEARCH = 200; // characters that the API accepts
const MAX_WORDS = 10;
const MAX_CATEGORY = 50;

export type Sort = keyof typeof SORTS;

type Narrowing = {
  status?: (typeof STATUSES)[number];
  priority?: Priority;
  category?: string;
  due?: DueFilter;
  search?: string;
};

/** Narrows and orders the list. The page's address holds it, so that a reload or a bookmark keeps it. */
export type Filters = Narrowing & { sort: Sort };

/** New values for some of the filters. `undefined` removes one. */
export type FilterChange = { [Name in keyof Narrowing]?: Narrowing[Name] | undefined } & { sort?: Sort };

/** Ignores invalid parameters. */
export function parseFilters(params: URLSearchParams): Filters {
  const filters: Filters = { sort: oneOf(Object.keys(SORTS) as Sort[], params.get("sort")) ?? "newest" };
  const status = oneOf(STATUSES, params.get("status"));
  const priority = oneOf(PRIORITIES, params.get("priority"));
  const due = oneOf(DUE_FILTERS, params.get("due"));
  const category = params.get("category")?.replaceAll("\0", "").trim().toLowerCase();
  const search = params.get("search")?.replaceAll("\0", "");
  if (status) filters.status = status;
  if (priority) filters.priority = priority;
  if (due) filters.due = due;
  if (category && category.length <= MAX_CATEGORY) filters.category = category;
  if (search && search.length <= MAX_SEARCH) filters.search = search;
  return filters;
}

export function formatFilters({ sort, ...rest }: FilterChange & Pick<Filters, "sort">): string {
  const params = new URLSearchParams(Object.entries(rest).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  if (sort !== "newest") params.set("sort", sort);
  return params.toString();
}

export function toQuery({ sort, due, status, search, ...rest }: Filters, now: Date): TaskQuery {
  const terms = words(search).join(" ");
  return {
    ...rest,
    ...SORTS[sort],
    ...(status && { status }),
    ...(terms && { search: terms }),
    ...(due && dueFilter(due, now).query),
  };
}

/** Decides as the API does, except that PostgreSQL knows more about upper and lower case in a search. */
export function passesFilters(task: Task, { status, priority, category, due, search }: Filters, now: Date): boolean {
  const text = `${task.title}\n${task.description ?? ""}`.toLowerCase();
  return (
    (!status || task.status === status) &&
    (!priority || task.priority === priority) &&
    (!category || task.category.toLowerCase() === category) &&
    (!due || dueFilter(due, now).matches(task)) &&
    words(search).every((word) => text.includes(word.toLowerCase()))
  );
}

/** No more words than the API accepts. Dropping one only finds more. */
function words(search = ""): string[] {
  return search.split(/\s+/).filter(Boolean).slice(0, MAX_WORDS);
}

export function isNarrowed({ sort: _, ...rest }: Filters): boolean {
  return Object.values(rest).some(Boolean);
}

function oneOf<T extends string>(choices: readonly T[], value: string | null): T | undefined {
  return choices.find((choice) => choice === value);
}
