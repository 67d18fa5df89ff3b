import { expect, test } from "./fixtures";
import { BUSY, holdRequests, holdResponses } from "./hold";

const LIST = /\/tasks\?/;
const TASK = /\/tasks\/[^?]+$/;

test("two failed clicks leave a task as the API has it", async ({ page, tasks, account, browserErrors }) => {
  browserErrors.allowStatus(503);
  await account.api.create({ title: "Undecided" });
  await tasks.open();
  const box = tasks.checkbox("Undecided");
  const next = await holdRequests(page, "PATCH");

  await box.click();
  await expect(box).toBeChecked();
  await box.click();
  await expect(box).not.toBeChecked();
  for (let attempt = 0; attempt < 4; attempt++) await (await next()).fulfill(BUSY); // each is retried once

  await expect(tasks.toast("busy").first()).toBeVisible();
  await expect(box).not.toBeChecked();
});

test("the last of several clicks counts, however slow the responses are", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Undecided" });
  await tasks.open();
  const box = tasks.checkbox("Undecided");
  const next = await holdRequests(page, "PATCH");

  await box.click();
  await box.click();
  await (await next()).continue();
  const second = await next(); // sent after the first response
  await expect(box).not.toBeChecked();
  await second.continue();
  await box.click();
  await (await next()).continue();

  await expect.poll(() => account.api.find()).toMatchObject([{ status: "completed" }]);
  await expect(box).toBeChecked();
});

test("a new task shows and counts once, even if a later page contains it", async ({ page, tasks, account }) => {
  await account.api.createAll(Array.from({ length: 60 }, (_, number) => ({ title: `Task ${number + 10}` })));
  await tasks.open("?sort=title");
  const nextPage = await holdRequests(page, "GET", LIST);
  await tasks.add("Zebra");
  await tasks.rows.last().scrollIntoViewIfNeeded();

  await (await nextPage()).continue();

  await expect(page.getByText("That’s all 61 tasks.")).toBeVisible();
  await expect(tasks.checkbox("Zebra")).toHaveCount(1);
});

test("a list that arrives while a task is being added does not hide it", async ({ page, tasks, account }) => {
  await account.api.createAll(Array.from({ length: 60 }, (_, number) => ({ title: `Task ${number + 10}` })));
  const nextPage = await holdRequests(page, "GET", LIST);
  const nextAddition = await holdRequests(page, "POST");
  const opening = tasks.open();
  await (await nextPage()).continue();
  await opening;
  await tasks.rows.last().scrollIntoViewIfNeeded();
  const second = await nextPage();
  await tasks.type("Fresh");
  await tasks.quickAdd.press("Enter");
  await expect(tasks.checkbox("Fresh")).toBeVisible();

  await second.continue(); // requested before the task existed
  await expect(tasks.checkbox("Task 10")).toHaveCount(1);
  await expect(tasks.checkbox("Fresh")).toBeVisible();
  await (await nextAddition()).continue();

  await expect(tasks.checkbox("Fresh")).toBeEnabled();
  await expect(tasks.checkbox("Fresh")).toHaveCount(1);
});

test("deleted here, changed elsewhere, and the list refetched: the task stays", async ({
  page,
  tasks,
  account,
  browserErrors,
}) => {
  browserErrors.allowStatus(412);
  const task = await account.api.create({ title: "Argued about" });
  await tasks.open();
  await tasks.add("Another"); // which makes the list stale

  await tasks.delete("Argued about");
  await account.api.complete(task.id);
  const refetched = page.waitForResponse(LIST);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await refetched;
  await page.mouse.move(0, 0); // a toast stays while the pointer is over it

  await expect(tasks.toast("was not deleted")).toBeVisible();
  await expect(tasks.checkbox("Argued about")).toBeVisible();
  expect(await account.api.titles()).toEqual(["Another", "Argued about"]);
});

test("completed and deleted at once, with a slow response: the task is deleted", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Done with" });
  await tasks.open();
  const next = await holdRequests(page, "PATCH");

  await tasks.checkbox("Done with").click();
  await tasks.delete("Done with");
  await (await next()).continue();
  await page.mouse.move(0, 0);

  await expect.poll(() => account.api.titles()).toEqual([]);
});

test("a late response neither hides a newer edit nor counts as another window’s change", async ({
  page,
  tasks,
  account,
  browserErrors,
}) => {
  browserErrors.allowStatus(412);
  await account.api.create({ title: "Old" });
  await tasks.open();
  const release = await holdResponses(page, /\/complete$/);
  await tasks.checkbox("Old").click();
  await expect.poll(() => account.api.find()).toMatchObject([{ status: "completed" }]);
  const editor = await tasks.edit("Old");
  await editor.getByLabel("Title").fill("New");
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor).toBeHidden();

  await release();

  await expect(tasks.checkbox("New")).toBeChecked();
  await expect(tasks.checkbox("Old")).toHaveCount(0);
  await expect(tasks.toast("changed in the meantime")).toHaveCount(0);
});

test("a completion that responds after the deletion does not prevent it", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Done with" });
  await tasks.open();
  await holdResponses(page, /\/complete$/);
  await tasks.checkbox("Done with").click();
  await expect.poll(() => account.api.find()).toMatchObject([{ status: "completed" }]);

  await tasks.delete("Done with");
  await page.mouse.move(0, 0);

  await expect.poll(() => account.api.titles()).toEqual([]);
  await expect(tasks.toast("not deleted")).toHaveCount(0);
});

test("a deletion without a response does not claim that nothing was deleted", async ({
  page,
  tasks,
  account,
  browserErrors,
}) => {
  browserErrors.allowUnreachable();
  await account.api.createAll([{ title: "Keep" }, { title: "Throw away" }]);
  await tasks.open();
  await page.route(TASK, async (route) => {
    await route.fetch();
    await route.abort();
  });

  await tasks.delete("Throw away");
  await page.mouse.move(0, 0);

  await expect(tasks.toast("“Throw away” may or may not have been deleted.")).toBeVisible();
  await tasks.expectTitles(["Keep"]);
});

test("a write without a response is checked by a refetch", async ({ page, tasks, account, browserErrors }) => {
  browserErrors.allowUnreachable();
  await account.api.createAll([{ title: "Toggled" }, { title: "Deleted" }, { title: "Edited" }]);
  await tasks.open();
  await page.route(TASK, async (route) => {
    if (route.request().method() === "GET") return route.fallback();
    await route.fetch();
    await route.abort();
  });

  await tasks.checkbox("Toggled").click();
  await expect(tasks.toast("can’t be reached")).toBeVisible();
  await expect(tasks.checkbox("Toggled")).toBeChecked();

  const editor = await tasks.edit("Edited");
  await editor.getByLabel("Title").fill("Edited again");
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor.getByRole("alert")).toContainText("can’t be reached");
  await page.unroute(TASK);
  browserErrors.allowStatus(412);
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor).toBeHidden();
  await expect(tasks.checkbox("Edited again")).toBeVisible();
  await expect(tasks.toast("changed in the meantime")).toHaveCount(0);
  expect(await account.api.titles()).toHaveLength(3);
});

test("a list that is refetched while a task is being added shows it once", async ({ page, tasks, account }) => {
  await tasks.open();
  await tasks.add("Before"); // which makes the list stale
  const release = await holdResponses(page, /\/tasks$/);
  await tasks.type("Fresh");
  await tasks.quickAdd.press("Enter");
  await expect.poll(() => account.api.titles()).toEqual(["Fresh", "Before"]);

  const listed = page.waitForResponse(LIST, { timeout: 1000 }).catch(() => "not requested");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await listed;
  await tasks.expectTitles(["Fresh", "Before"]);
  await release();

  await expect(tasks.checkbox("Fresh")).toBeEnabled();
  await tasks.expectTitles(["Fresh", "Before"]);
});
