import { expect, test } from "vitest";

import { type Filters, formatFilters, isNarrowed, parseFilters, passesFilters, toQuery } from "@/lib/filters";
import { makeTask } from "@/lib/testing";

const parse = (query: string) => parseFilters(new URLSearchParams(query));

test("filters survive a round trip through the address", () => {
  const filters: Filters = {
    status: "pending",
    priority: "high",
    category: "r&d",
    due: "week",
    search: "a b",
    sort: "title",
  };

  expect(parse(formatFilters(filters))).toEqual(filters);
  expect(formatFilters(parse(""))).toBe("");
});

test("an undefined filter is removed from the address", () => {
  expect(formatFilters({ ...parse("status=pending&search=milk"), status: undefined })).toBe("search=milk");
});

test("invalid parameters in an address are ignored", () => {
  expect(parse("status=done&priority=urgent&due=never&sort=random&category=%20&other=1")).toEqual({ sort: "newest" });
});

test("values longer than the API accepts are ignored", () => {
  const long = (length: number) => "x".repeat(length);

  expect(parse(`category=${long(50)}&search=${long(200)}`)).toMatchObject({ category: long(50), search: long(200) });
  expect(parse(`category=${long(51)}&search=${long(201)}`)).toEqual({ sort: "newest" });
});

test("a query contains the chosen filters and nothing else", () => {
  const now = new Date("2026-01-05T12:00:00Z");

  expect(toQuery(parse(""), now)).toEqual({ sort_by: "createdAt", sort_order: "desc" });
  expect(toQuery(parse("status=completed&search=%20milk%20&category=Home&sort=due"), now)).toEqual({
    status: "completed",
    search: "milk",
    category: "home",
    sort_by: "dueDate",
    sort_order: "asc",
  });
});

test("overdue tasks are open, whatever the status filter is", () => {
  expect(toQuery(parse("due=overdue&status=completed"), new Date()).status).toBe("pending");
});

test("words beyond what the API accepts are dropped", () => {
  expect(toQuery(parse("search=1 2 3 4 5 6 7 8 9 10 11"), new Date()).search).toBe("1 2 3 4 5 6 7 8 9 10");
});

test.each([
  ["", true],
  ["status=pending&priority=high&category=HOME&due=today", true],
  ["search=RENT gas", true],
  ["search=rent water", false],
  ["status=completed", false],
  ["priority=low", false],
  ["category=work", false],
  ["due=overdue", false],
])("whether a task passes the filters %j", (query, passes) => {
  const now = new Date("2026-01-05T12:00:00Z");
  const task = makeTask({
    title: "Pay the rent",
    description: "And the gas",
    priority: "high",
    category: "Home",
    dueDate: "2026-01-05",
  });

  expect(passesFilters(task, parse(query), now)).toBe(passes);
});

test("sorting does not narrow the list", () => {
  expect(isNarrowed(parse("sort=title"))).toBe(false);
  expect(isNarrowed(parse("due=today"))).toBe(true);
});
