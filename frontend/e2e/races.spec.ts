import type { Page, Route } from "@playwright/test";

import { expect, test } from "./fixtures";

type Answer = (route: Route) => Promise<void>;

const refuse: Answer = (route) =>
  route.fulfill({ status: 503, headers: { "access-control-allow-origin": "*", "retry-after": "1" }, body: "" });

/** Requests of one method wait until the test lets them go, the one that came first as the first. */
async function held(page: Page, method: string, path: RegExp) {
  const waiting: Route[] = [];
  await page.route(path, async (route) => {
    if (route.request().method() === method) waiting.push(route);
    else await route.continue();
  });
  const arrived = () => expect.poll(() => waiting.length).toBeGreaterThan(0);
  return {
    arrived,
    async next(answer: Answer = (route) => route.continue()) {
      await arrived();
      await answer(waiting.shift() as Route);
    },
  };
}

const LIST = /\/tasks\?/;
const TASKS = /\/tasks$/;
const COMPLETE = /\/complete$/;

test("two clicks that both fail leave a task as the API has it", async ({ page, tasks, account, complaints }) => {
  complaints.allowStatus(503);
  await account.api.create({ title: "Undecided" });
  await tasks.open();
  const box = tasks.checkbox("Undecided");
  const requests = await held(page, "PATCH", COMPLETE);

  await box.click();
  await expect(box).toBeChecked();
  await box.click();
  await expect(box).not.toBeChecked();
  for (let attempt = 0; attempt < 4; attempt++) await requests.next(refuse); // each is tried twice

  await expect(tasks.toast("busy").first()).toBeVisible();
  await expect(box).not.toBeChecked();
});

test("the last of several clicks counts, however slow the answers are", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Undecided" });
  await tasks.open();
  const box = tasks.checkbox("Undecided");
  const requests = await held(page, "PATCH", COMPLETE);

  await box.click();
  await box.click();
  const answered = page.waitForResponse(COMPLETE);
  await requests.next();
  await answered;
  await requests.next(async (route) => {
    // The second request is on its way only when the first answer has been dealt with.
    await expect(box).not.toBeChecked();
    await route.continue();
  });
  await box.click();
  await requests.next();

  await expect.poll(() => account.api.find()).toMatchObject([{ status: "completed" }]);
  await expect(box).toBeChecked();
});

test("a task is seen once though its page comes later, and counted once", async ({ page, tasks, account }) => {
  await account.api.createAll(Array.from({ length: 60 }, (_, number) => ({ title: `Task ${number + 10}` })));
  await tasks.open("?sort=title");
  const pages = await held(page, "GET", LIST);
  await tasks.add("Zebra");
  await tasks.rows.last().scrollIntoViewIfNeeded();

  await pages.next();

  await expect(page.getByText("That’s all: 61 tasks.")).toBeVisible();
  await expect(tasks.checkbox("Zebra")).toHaveCount(1);
});

test("a list that comes while a task is being added does not hide it", async ({ page, tasks, account }) => {
  await account.api.createAll(Array.from({ length: 60 }, (_, number) => ({ title: `Task ${number + 10}` })));
  const pages = await held(page, "GET", LIST);
  const additions = await held(page, "POST", TASKS);
  const opening = tasks.open();
  await pages.next();
  await opening;
  await tasks.rows.last().scrollIntoViewIfNeeded();
  await pages.arrived();
  await tasks.type("Fresh");
  await tasks.quickAdd.press("Enter");
  await expect(tasks.checkbox("Fresh")).toBeVisible();

  await pages.next(); // asked for before the task was there
  await expect(tasks.checkbox("Task 10")).toHaveCount(1);
  await expect(tasks.checkbox("Fresh")).toBeVisible();
  await additions.next();

  await expect(tasks.checkbox("Fresh")).toBeEnabled();
  await expect(tasks.checkbox("Fresh")).toHaveCount(1);
});

test("deleted here, changed elsewhere and seen so: it stays", async ({ page, tasks, account, complaints }) => {
  complaints.allowStatus(412);
  const task = await account.api.create({ title: "Argued about" });
  await account.api.create({ title: "Another" });
  await tasks.open();

  await tasks.delete("Argued about");
  await account.api.complete(task.id);
  const looked = page.waitForResponse(LIST);
  await tasks.search.fill("a");
  await looked;
  await page.mouse.move(0, 0); // the notice stays while a pointer is over it

  await expect(tasks.toast("was not deleted")).toBeVisible();
  await expect(tasks.checkbox("Argued about")).toBeVisible();
  expect(await account.api.titles()).toEqual(["Another", "Argued about"]);
});

test("completed and deleted at once, with a slow answer: it is deleted", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Done with" });
  await tasks.open();
  const requests = await held(page, "PATCH", COMPLETE);

  await tasks.checkbox("Done with").click();
  await tasks.delete("Done with");
  await requests.next();
  await page.mouse.move(0, 0);

  await expect.poll(() => account.api.titles()).toEqual([]);
});
