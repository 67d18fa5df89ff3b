import { expect, test } from "vitest";

import type { Task } from "@/lib/api";
import { changedElsewhere, changes, conflicts, draftOf, unset } from "@/lib/draft";

const TASK: Task = {
  id: "01",
  userId: "ada",
  title: "Water the plants",
  description: null,
  status: "pending",
  completed: false,
  completedAt: null,
  priority: "medium",
  category: "garden",
  dueDate: "2026-01-05T16:00:12.345678Z",
  version: 3,
  createdAt: "2026-01-01T00:00:00.000000Z",
  updatedAt: "2026-01-01T00:00:00.000000Z",
};

test("a draft that was not touched changes nothing, not even the seconds of its due date", () => {
  expect(changes(TASK, draftOf(TASK))).toEqual({});
});

test("each field that was touched is in the patch, and no other", () => {
  const draft = draftOf(TASK);

  expect(changes(TASK, { ...draft, title: "Water them" })).toEqual({ title: "Water them" });
  expect(changes(TASK, { ...draft, description: "twice" })).toEqual({ description: "twice" });
  expect(changes(TASK, { ...draft, priority: "high" })).toEqual({ priority: "high" });
  expect(changes(TASK, { ...draft, category: "Home" })).toEqual({ category: "Home" });
  expect(changes(TASK, { ...draft, day: "2026-01-06", time: "" })).toEqual({ dueDate: "2026-01-06" });
});

test("emptied fields are sent as what stands for nothing", () => {
  const draft = { ...draftOf({ ...TASK, description: "twice" }), description: "", category: " ", day: "", time: "" };

  expect(changes({ ...TASK, description: "twice" }, draft)).toEqual({
    description: null,
    category: "other",
    dueDate: null,
  });
});

test("an emptied title is sent, so that the API says what is wrong with it", () => {
  expect(changes(TASK, { ...draftOf(TASK), title: " " })).toEqual({ title: " " });
});

test("only what both sides have changed differently is in conflict", () => {
  const mine = { title: "Mine", priority: "high" as const, description: "same" };
  const theirs = { ...TASK, title: "Theirs", category: "home", description: "same" };

  expect(conflicts(TASK, mine, theirs)).toEqual([{ member: "title", mine: "Mine", theirs: "Theirs" }]);
});

test("the same edit on both sides is no conflict, however the API writes it", () => {
  const draft = { ...draftOf(TASK), title: " Water them ", category: " Home", day: "2026-01-06", time: "09:30" };
  const theirs = { ...TASK, title: "Water them", category: "home", dueDate: "2026-01-06T09:30:00.000000Z" };

  expect(conflicts(TASK, changes(TASK, draft), theirs)).toEqual([]);
  expect(conflicts(TASK, changes(TASK, { ...draft, day: "" }), { ...theirs, dueDate: null })).toEqual([]);
});

test("another time of the same day is in conflict", () => {
  const mine = { dueDate: "2026-01-06T09:30:00.000Z" };
  const theirs = "2026-01-06T09:31:00.000000Z";

  expect(conflicts(TASK, mine, { ...TASK, dueDate: theirs })).toEqual([
    { member: "dueDate", mine: mine.dueDate, theirs },
  ]);
});

test("a member that is emptied is in conflict with one that is changed", () => {
  expect(conflicts(TASK, { dueDate: null }, { ...TASK, dueDate: "2026-02-01" })).toEqual([
    { member: "dueDate", mine: null, theirs: "2026-02-01" },
  ]);
});

test("what is chosen from the other side leaves the patch; the rest stays", () => {
  const mine = { title: "Mine", priority: "high" as const, category: "work" };
  const theirs = { ...TASK, title: "Theirs", category: "home" };
  const inQuestion = conflicts(TASK, mine, theirs);

  expect(unset(mine, inQuestion, new Set(["category"]))).toEqual({ priority: "high", category: "work" });
});

test("what both sides have changed alike was not changed elsewhere", () => {
  expect(changedElsewhere(TASK, { title: " New " }, { ...TASK, title: "New" })).toBe(false);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, title: "Newer" })).toBe(true);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, title: "New", priority: "high" })).toBe(true);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, status: "completed", version: 9 })).toBe(true);
  expect(changedElsewhere(TASK, { title: "New" }, { ...TASK, version: 9 })).toBe(false);
});
