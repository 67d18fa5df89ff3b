import type { Locator } from "@playwright/test";

import { expect, type test as Test, test } from "./fixtures";
import { Screen } from "./screen";

type TestFixtures = Parameters<Parameters<typeof Test>[2]>[0];

test.beforeEach(({ browserErrors }) => browserErrors.allowStatus(404, 412));

/** Opens one task in the editors of two tabs. */
async function twoTabs({ tasks, account, context }: Pick<TestFixtures, "tasks" | "account" | "context">) {
  await account.api.create({ title: "Book a flight", description: "To Lisbon" });
  await tasks.open();
  const other = await new Screen(await context.newPage()).open();
  return { here: await tasks.edit("Book a flight"), there: await other.edit("Book a flight"), other };
}

async function save(editor: Locator, values: Record<string, string>) {
  for (const [label, value] of Object.entries(values)) await editor.getByLabel(label).fill(value);
  await editor.getByRole("button", { name: "Save" }).click();
}

test("the same field in two tabs: the dialog shows both versions, and I can keep mine", async ({
  page,
  tasks,
  account,
  context,
}) => {
  const { here, there } = await twoTabs({ tasks, account, context });
  await save(there, { Description: "To Porto" });
  await expect(there).toBeHidden();

  await save(here, { Description: "To Faro" });

  const dialog = page.getByRole("dialog", { name: "Edited in two places" });
  await expect(dialog.getByRole("radio", { name: "Your version To Faro" })).toBeChecked();
  await expect(dialog.getByRole("radio", { name: "The other window’s version To Porto" })).not.toBeChecked();
  expect(await account.api.find()).toMatchObject([{ description: "To Porto" }]);
  await dialog.getByRole("button", { name: "Save choice" }).click();
  await expect(here).toBeHidden();
  await expect(tasks.row("Book a flight")).toContainText("To Faro");
  await expect.poll(() => account.api.find()).toMatchObject([{ description: "To Faro" }]);
});

test("the same field in two tabs: I can keep theirs together with my other edits", async ({
  page,
  tasks,
  account,
  context,
}) => {
  const { here, there } = await twoTabs({ tasks, account, context });
  await save(there, { Title: "Book a train", Description: "To Porto" });
  await expect(there).toBeHidden();

  await save(here, { Title: "Book a ship", Description: "To Faro", Category: "travel" });

  const dialog = page.getByRole("dialog", { name: "Edited in two places" });
  await dialog.getByRole("radio", { name: "The other window’s version Book a train" }).click();
  await dialog.getByRole("button", { name: "Save choice" }).click();
  await expect(here).toBeHidden();
  await expect(tasks.row("Book a train")).toContainText("To Faro");
  await expect
    .poll(() => account.api.find())
    .toMatchObject([{ title: "Book a train", description: "To Faro", category: "travel" }]);
});

test("leaving the conflict dialog keeps the draft", async ({ page, tasks, account, context }) => {
  const { here, there } = await twoTabs({ tasks, account, context });
  await save(there, { Description: "To Porto" });
  await expect(there).toBeHidden();
  await save(here, { Description: "To Faro" });
  const dialog = page.getByRole("dialog", { name: "Edited in two places" });

  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");

  await expect(dialog).toBeHidden();
  await expect(here.getByLabel("Description")).toHaveValue("To Faro");
  expect(await account.api.find()).toMatchObject([{ description: "To Porto" }]);
  await here.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeVisible();
});

test("another change while the dialog is open is a new conflict", async ({ page, tasks, account, context }) => {
  const { here, there, other } = await twoTabs({ tasks, account, context });
  await save(there, { Description: "To Porto" });
  await expect(there).toBeHidden();
  await save(here, { Description: "To Faro" });
  const dialog = page.getByRole("dialog", { name: "Edited in two places" });
  await expect(dialog).toBeVisible();
  await save(await other.edit("Book a flight"), { Description: "To Braga" });
  await expect(there).toBeHidden();

  await dialog.getByRole("button", { name: "Save choice" }).click();

  await expect(dialog.getByRole("radio", { name: "The other window’s version To Braga" })).toBeVisible();
  await dialog.getByRole("button", { name: "Save choice" }).click();
  await expect(here).toBeHidden();
  await expect.poll(() => account.api.find()).toMatchObject([{ description: "To Faro" }]);
});

test("different fields in two tabs: both changes are kept", async ({ tasks, account, context }) => {
  const { here, there } = await twoTabs({ tasks, account, context });
  await save(there, { Description: "To Porto" });
  await expect(there).toBeHidden();

  await save(here, { Title: "Book a train" });

  await expect(tasks.row("Book a train")).toContainText("To Porto");
  await expect(tasks.toast("The task changed in the meantime. Both changes were kept.")).toBeVisible();
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "Book a train", description: "To Porto" }]);
});

test("deleted in the other tab: the draft can be saved as a new task", async ({ tasks, account, context }) => {
  const { here } = await twoTabs({ tasks, account, context });
  const [task] = await account.api.find();
  await account.api.delete(task?.id ?? "");

  await save(here, { Description: "To Faro" });

  await expect(here.getByRole("alert")).toContainText("deleted in another window");
  await expect(here.getByLabel("Description")).toHaveValue("To Faro");
  await here.getByRole("button", { name: "Save as new task" }).click();
  await expect(here).toBeHidden();
  await tasks.expectTitles(["Book a flight"]);
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "Book a flight", description: "To Faro" }]);
});

test("toggled here, deleted in the other tab: the row disappears with a message", async ({ tasks, account }) => {
  const [task] = await account.api.createAll([{ title: "Gone" }, { title: "Still here" }]);
  await tasks.open();
  await account.api.delete(task?.id ?? "");

  await tasks.checkbox("Gone").click();

  await expect(tasks.toast("no longer exists")).toBeVisible();
  await tasks.expectTitles(["Still here"]);
});

test("deleted here, changed in the other tab: the task stays, with a message", async ({ page, tasks, account }) => {
  const task = await account.api.create({ title: "Argued about" });
  await tasks.open();
  await account.api.complete(task.id);

  await tasks.delete("Argued about");
  await page.mouse.move(0, 0); // a toast stays while the pointer is over it

  await expect(tasks.toast("was not deleted")).toBeVisible();
  await expect(tasks.checkbox("Argued about")).toBeVisible();
  await page.reload();
  await expect(tasks.checkbox("Argued about")).toBeChecked();
});
