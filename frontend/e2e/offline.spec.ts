import { expect, test } from "./fixtures";

test.beforeEach(({ browserErrors }) => browserErrors.allowUnreachable());

test("changes made offline are sent when the network is back", async ({ page, tasks, account, context }) => {
  await account.api.createAll([{ title: "Old" }, { title: "Older" }]);
  await tasks.open();
  const banner = page.getByRole("status").filter({ hasText: "You’re offline." });

  await context.setOffline(true);
  await expect(banner).toContainText("The list may be out of date.");
  await tasks.checkbox("Old").click();
  await expect(tasks.checkbox("Old")).toBeChecked();
  await expect(banner).toContainText("1 change will be sent when you’re back online");
  await tasks.type("Written on the train tomorrow");
  await tasks.quickAdd.press("Enter");
  await expect(tasks.checkbox("Written on the train")).toBeVisible();
  await expect(banner).toContainText("2 changes will be sent when you’re back online");
  expect(await account.api.find()).toMatchObject([
    { title: "Older", status: "pending" },
    { title: "Old", status: "pending" },
  ]);

  await context.setOffline(false);
  await expect(banner).toBeHidden();
  await expect(tasks.checkbox("Written on the train")).toBeEnabled();
  await expect
    .poll(() => account.api.find())
    .toMatchObject([
      { title: "Written on the train" },
      { title: "Older", status: "pending" },
      { title: "Old", status: "completed" },
    ]);
});

test("an offline search finds the tasks already loaded", async ({ page, tasks, account, context }) => {
  await account.api.createAll([{ title: "Pay the rent" }, { title: "Call", priority: "high" }]);
  await tasks.open();
  await context.setOffline(true);

  await tasks.search.fill("rent");
  await tasks.expectTitles(["Pay the rent"]);
  await expect(page.getByText("Only tasks that are already loaded are searched")).toBeVisible();
  await tasks.search.fill("nothing");
  await expect(page.getByRole("heading", { name: "You’re offline" })).toBeVisible();
  await tasks.search.fill("");
  await tasks.expectTitles(["Call", "Pay the rent"]);
  await page.getByLabel("Priority").selectOption("High");
  await tasks.expectTitles(["Call"]);

  await context.setOffline(false);
  await expect(page.getByText("Only tasks that are already loaded are searched")).toBeHidden();
  await tasks.expectTitles(["Call"]);
});

test("an edit made offline stays in its editor until it can be saved", async ({
  tasks,
  account,
  context,
  browserErrors,
}) => {
  browserErrors.allowUnreachable();
  await account.api.create({ title: "Old" });
  await tasks.open();
  const editor = await tasks.edit("Old");

  await context.setOffline(true);
  await editor.getByLabel("Title").fill("New");
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor.getByRole("alert").getByText("can’t be reached")).toBeVisible();
  expect(await account.api.titles()).toEqual(["Old"]);

  await context.setOffline(false);
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(tasks.checkbox("New")).toBeVisible();
  await expect.poll(() => account.api.titles()).toEqual(["New"]);
});

test("a deletion made offline is not lost", async ({ page, tasks, account, context }) => {
  await account.api.createAll([{ title: "Keep" }, { title: "Throw away" }]);
  await tasks.open();

  await context.setOffline(true);
  await tasks.delete("Throw away");
  await page.mouse.move(0, 0);
  await expect(tasks.toast("“Throw away” deleted")).toHaveCount(0);

  await context.setOffline(false);
  // Either the task is deleted now, or it is back with a message.
  await expect(async () => {
    const titles = await account.api.titles();
    await expect(tasks.rows).toHaveCount(titles.length, { timeout: 100 });
    if (titles.length === 2) await expect(tasks.toast("was not deleted")).toBeVisible({ timeout: 100 });
  }).toPass({ timeout: 15_000 });
});

test("a page with unsent changes asks before the user leaves", async ({ page, tasks, account, context }) => {
  await account.api.create({ title: "Old" });
  await tasks.open();
  await context.setOffline(true);
  await tasks.checkbox("Old").click();
  await expect(page.getByRole("status").filter({ hasText: "1 change will be sent" })).toBeVisible();

  const question = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });

  const dialog = await question;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss();
  await expect(tasks.checkbox("Old")).toBeChecked();
});

test("the next pages of a long list load when the network is back", async ({ page, tasks, account, context }) => {
  await account.api.createAll(Array.from({ length: 120 }, (_, index) => ({ title: `Task ${index + 1}` })));
  await tasks.open();
  await expect(tasks.rows).toHaveCount(50);
  await context.setOffline(true);
  await page.mouse.move(500, 500);
  await page.mouse.wheel(0, 100_000);

  await context.setOffline(false);

  await expect(async () => {
    await page.mouse.wheel(0, 3000);
    await expect(tasks.rows).toHaveCount(120, { timeout: 200 });
  }).toPass({ intervals: [0] });
});
