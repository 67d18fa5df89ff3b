import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures";
import { holdResponses } from "./hold";

/** The calendar day in the page's zone, `days` from today. */
function dayOf(page: Page, days: number): Promise<string> {
  return page.evaluate((days) => {
    const now = new Date();
    // At noon, where a clock change cannot move the date.
    return new Intl.DateTimeFormat("sv-SE").format(
      new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 12),
    );
  }, days);
}

test("filter by status, priority and category, and clear", async ({ page, tasks, account }) => {
  const [report] = await account.api.createAll([
    { title: "Report", priority: "high", category: "work" },
    { title: "Slides", priority: "low", category: "work" },
    { title: "Dishes", priority: "high", category: "home" },
  ]);
  await account.api.complete(report?.id ?? "");
  await tasks.open();
  await tasks.expectTitles(["Dishes", "Slides", "Report"]);

  await page.getByLabel("Status").selectOption("Open");
  await tasks.expectTitles(["Dishes", "Slides"]);
  await page.getByLabel("Status").selectOption("Done");
  await tasks.expectTitles(["Report"]);
  await page.getByLabel("Status").selectOption("Any status");

  await page.getByLabel("Priority").selectOption("High");
  await tasks.expectTitles(["Dishes", "Report"]);

  await tasks.row("Report").getByRole("button", { name: "Show category work" }).click();
  await tasks.expectTitles(["Report"]);
  await expect(page).toHaveURL("/?priority=high&category=work");

  await page.reload();
  await tasks.expectTitles(["Report"]);
  await expect(page.getByLabel("Priority")).toHaveValue("high");

  await page.getByRole("button", { name: "#work Remove filter" }).click();
  await tasks.expectTitles(["Dishes", "Report"]);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await tasks.expectTitles(["Dishes", "Slides", "Report"]);
  await expect(page).toHaveURL("/");
});

test("filter by due date", async ({ page, tasks, account }) => {
  const at = (day: string, time: string) => page.evaluate((local) => new Date(local).toISOString(), `${day}T${time}`);
  const today = await dayOf(page, 0);
  const [completed] = await account.api.createAll([
    { title: "Yesterday, done", dueDate: await dayOf(page, -1) },
    { title: "Yesterday", dueDate: await dayOf(page, -1) },
    { title: "Today", dueDate: today },
    { title: "Today’s first minute", dueDate: await at(today, "00:00") },
    { title: "Today’s last minute", dueDate: await at(today, "23:59") },
    { title: "Tomorrow’s first minute", dueDate: await at(await dayOf(page, 1), "00:00") },
    { title: "In six days", dueDate: await dayOf(page, 6) },
    { title: "In seven days", dueDate: await dayOf(page, 7) },
    { title: "Some day" },
  ]);
  await account.api.complete(completed?.id ?? "");
  await tasks.open("?sort=oldest");
  await expect(tasks.rows).toHaveCount(9);

  await page.getByLabel("Due").selectOption("Overdue");
  await expect(tasks.checkbox("Yesterday")).toBeVisible();
  await tasks.expectTitles(["Yesterday", "Today’s first minute"]);

  await page.getByLabel("Due").selectOption("Due today");
  await tasks.expectTitles(["Today", "Today’s first minute", "Today’s last minute"]);

  await page.getByLabel("Due").selectOption("Next 7 days");
  await tasks.expectTitles([
    "Today",
    "Today’s first minute",
    "Today’s last minute",
    "Tomorrow’s first minute",
    "In six days",
  ]);
  await page.reload();
  await expect(tasks.rows).toHaveCount(5);
});

test("a completed task is no longer overdue, even before the API has responded", async ({ page, tasks, account }) => {
  await account.api.createAll([
    { title: "First", dueDate: await dayOf(page, -1) },
    { title: "Second", dueDate: await dayOf(page, -1) },
  ]);
  await tasks.open("?due=overdue");
  await tasks.expectTitles(["Second", "First"]);
  const release = await holdResponses(page, /\/complete$/);

  await tasks.checkbox("First").click();

  await tasks.expectTitles(["Second"]);
  await release();
  await tasks.expectTitles(["Second"]);
});

test("an open page shows when a task becomes overdue", async ({ page, tasks, account }) => {
  await page.clock.install();
  await account.api.create({ title: "For today", dueDate: await dayOf(page, 0) });
  await tasks.open();
  await expect(tasks.row("For today")).not.toContainText("overdue");

  await page.clock.fastForward("24:00:00");

  await expect(tasks.row("For today")).toContainText("Yesterday(overdue)");
  await expect(page.getByRole("figure", { name: "Statistics" })).toHaveText("1 overdue");
});

test("a toast confirms a new task that the filters hide", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Sail", priority: "high" });
  await tasks.open("?priority=high");

  await tasks.type("Row");
  await tasks.quickAdd.press("Enter");

  await expect(page.getByText("“Row” added. Your filters hide it.")).toBeVisible();
  await tasks.expectTitles(["Sail"]);
  await page.getByRole("button", { name: "Show all" }).click();
  await tasks.expectTitles(["Row", "Sail"]);
});

test("search while typing", async ({ page, tasks, account }) => {
  await account.api.createAll([
    { title: "Buy 100% orange juice" },
    { title: "Ring the office", description: "about the ORANGE chairs" },
    { title: "Buy apples" },
  ]);
  await tasks.open();

  await tasks.search.pressSequentially("orange");
  await tasks.expectTitles(["Ring the office", "Buy 100% orange juice"]);
  await expect(tasks.search).toBeFocused();

  await tasks.search.fill("chairs ring");
  await tasks.expectTitles(["Ring the office"]);
  await tasks.search.fill("100%");
  await tasks.expectTitles(["Buy 100% orange juice"]);
  await expect(page).toHaveURL("/?search=100%25");
  await page.reload();
  await expect(tasks.search).toHaveValue("100%");
  await tasks.expectTitles(["Buy 100% orange juice"]);

  await tasks.search.fill("bananas");
  await expect(page.getByRole("heading", { name: "No task matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear search and filters" }).click();
  await expect(tasks.search).toHaveValue("");
  await expect(tasks.rows).toHaveCount(3);
});

test("sort", async ({ page, tasks, account }) => {
  const [first] = await account.api.createAll([
    { title: "banana", priority: "low", dueDate: "2031-01-01" },
    { title: "Cherry", priority: "high" },
    { title: "apple", dueDate: "2030-01-01T12:00:00Z" },
  ]);
  await account.api.complete(first?.id ?? "");
  await tasks.open();
  const order = page.getByLabel("Order");

  for (const [name, titles] of [
    ["Newest first", ["apple", "Cherry", "banana"]],
    ["Oldest first", ["banana", "Cherry", "apple"]],
    ["Last changed", ["banana", "apple", "Cherry"]],
    ["Due date", ["apple", "banana", "Cherry"]],
    ["Priority", ["Cherry", "apple", "banana"]],
    ["Title", ["apple", "banana", "Cherry"]],
  ] as const) {
    await order.selectOption(name);
    await tasks.expectTitles([...titles]);
  }
  await expect(page).toHaveURL("/?sort=title");
  await page.reload();
  await expect(order).toHaveValue("title");
  await tasks.expectTitles(["apple", "banana", "Cherry"]);
});

test("an address with invalid filters shows the whole list", async ({ tasks, account }) => {
  await account.api.create({ title: "Here" });

  await tasks.open("?status=nonsense&sort=__proto__&due=&priority=HIGH");

  await tasks.expectTitles(["Here"]);
});

test("scroll through 500 tasks", async ({ page, tasks, account }) => {
  const parts = Array.from({ length: 10 }, (_, part) =>
    account.api.createAll(Array.from({ length: 50 }, (_, index) => ({ title: `Task ${part}.${index}` }))),
  );
  await Promise.all(parts);
  const titles = await account.api.titles();
  expect(new Set(titles).size).toBe(500);
  const pages: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "GET" && /\/tasks\?/.test(request.url())) pages.push(request.url());
  });
  await tasks.open();
  await expect(tasks.rows).toHaveCount(50);
  await page.mouse.move(500, 500);

  await expect(async () => {
    await page.mouse.wheel(0, 3000);
    await expect(page.getByText("That’s all 500 tasks.")).toBeInViewport({ timeout: 200 });
  }).toPass({ intervals: [0] });

  await tasks.expectTitles(titles);
  expect(pages).toHaveLength(10);
  expect(new Set(pages).size).toBe(10);
});
