import { expect, test } from "vitest";

import { changedElsewhere, findConflicts, patchFor, resolveConflicts, toDraft } from "@/lib/draft";
import { makeTask } from "@/lib/testing";

const TASK = makeTask({ dueDate: "2026-01-05T16:00:12.345678Z" });

test("an untouched draft is an empty patch, and its due date keeps its seconds", () => {
  expect(patchFor(TASK, toDraft(TASK))).toEqual({});
});

test("the patch contains the edited fields and no others", () => {
  const draft = toDraft(TASK);

  expect(patchFor(TASK, { ...draft, title: "Water them" })).toEqual({ title: "Water them" });
  expect(patchFor(TASK, { ...draft, description: "twice" })).toEqual({ description: "twice" });
  expect(patchFor(TASK, { ...draft, priority: "high" })).toEqual({ priority: "high" });
  expect(patchFor(TASK, { ...draft, category: "Home" })).toEqual({ category: "Home" });
  expect(patchFor(TASK, { ...draft, day: "2026-01-06", time: "" })).toEqual({ dueDate: "2026-01-06" });
});

test("cleared fields become null or the default", () => {
  const draft = { ...toDraft({ ...TASK, description: "twice" }), description: "", category: " ", day: "", time: "" };

  expect(patchFor({ ...TASK, description: "twice" }, draft)).toEqual({
    description: null,
    category: "other",
    dueDate: null,
  });
});

test("an empty title stays in the patch, so that the API explains the error", () => {
  expect(patchFor(TASK, { ...toDraft(TASK), title: " " })).toEqual({ title: " " });
});

test("members conflict only if both sides have changed them differently", () => {
  const mine = { title: "Mine", priority: "high" as const, description: "same" };
  const theirs = { ...TASK, title: "Theirs", category: "home", description: "same" };

  expect(findConflicts(TASK, mine, theirs)).toEqual([{ member: "title", mine: "Mine", theirs: "Theirs" }]);
});

test("the same edit on both sides is no conflict, whatever form the API returns", () => {
  const draft = { ...toDraft(TASK), title: " Water them ", category: " Home", day: "2026-01-06", time: "09:30" };
  const theirs = { ...TASK, title: "Water them", category: "home", dueDate: "2026-01-06T09:30:00.000000Z" };

  expect(findConflicts(TASK, patchFor(TASK, draft), theirs)).toEqual([]);
  expect(findConflicts(TASK, patchFor(TASK, { ...draft, day: "" }), { ...theirs, dueDate: null })).toEqual([]);
});

test("a different time on the same day conflicts", () => {
  const mine = { dueDate: "2026-01-06T09:30:00.000Z" };
  const theirs = "2026-01-06T09:31:00.000000Z";

  expect(findConflicts(TASK, mine, { ...TASK, dueDate: theirs })).toEqual([
    { member: "dueDate", mine: mine.dueDate, theirs },
  ]);
});

test("clearing a member conflicts with changing it", () => {
  expect(findConflicts(TASK, { dueDate: null }, { ...TASK, dueDate: "2026-02-01" })).toEqual([
    { member: "dueDate", mine: null, theirs: "2026-02-01" },
  ]);
});

test("members resolved to the other side leave the patch, and the rest stay", () => {
  const mine = { title: "Mine", priority: "high" as const, category: "work" };
  const theirs = { ...TASK, title: "Theirs", category: "home" };
  const conflicts = findConflicts(TASK, mine, theirs);

  expect(resolveConflicts(mine, conflicts, new Set(["category"]))).toEqual({ priority: "high", category: "work" });
});

test("a change that both sides made alike does not count as made elsewhere", () => {
  expect(changedElsewhere(TASK, { title: " New " }, { ...TASK, title: "New" })).toBe(false);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, title: "Newer" })).toBe(true);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, title: "New", priority: "high" })).toBe(true);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, status: "completed", version: 9 })).toBe(true);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, version: 9 })).toBe(false);
});
