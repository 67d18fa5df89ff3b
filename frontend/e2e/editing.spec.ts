import type { Route } from "@playwright/test";

import { expect, test } from "./fixtures";
import { BUSY, FULL, holdRequests } from "./hold";

test("a task that fails while the next one is being added is named and can be retried", async ({
  page,
  tasks,
  account,
  browserErrors,
}) => {
  browserErrors.allowStatus(409);
  await tasks.open();
  const next = await holdRequests(page, "POST");
  await tasks.type("Alpha");
  await tasks.quickAdd.press("Enter");
  const alpha = await next();
  await tasks.type("Beta");
  await tasks.quickAdd.press("Enter");
  const beta = await next();
  await tasks.quickAdd.fill("Gam");

  await alpha.fulfill(FULL);
  const alert = page.getByRole("alert").filter({ hasText: "Couldn’t add “Alpha”." });
  await expect(alert).toContainText("The account is full.");
  await beta.fulfill(FULL);

  await expect(page.getByRole("alert").getByText("Couldn’t add “Beta”.")).toBeVisible();
  await expect(alert).toBeVisible();
  await expect(tasks.quickAdd).toHaveValue("Gam");
  await alert.getByRole("button", { name: "Discard “Beta”" }).click();
  await expect(tasks.quickAdd).toBeFocused();
  await alert.getByRole("button", { name: "Retry adding “Alpha”" }).click();
  await (await next()).continue();
  await expect(tasks.checkbox("Alpha")).toBeEnabled();
  await expect(page.getByRole("alert").getByText("Couldn’t add")).toHaveCount(0);
  await expect(tasks.quickAdd).toHaveValue("Gam");
  await expect.poll(() => account.api.titles()).toEqual(["Alpha"]);
});

test("a retry keeps the recognized and the rejected pieces", async ({ page, tasks, account, browserErrors }) => {
  browserErrors.allowStatus(409);
  await tasks.open();
  const next = await holdRequests(page, "POST");
  await tasks.type("Read by Friday #books !low");
  await page.getByRole("button", { name: "Keep “by Friday” in the title" }).click();
  await tasks.quickAdd.press("Enter");

  await (await next()).fulfill(FULL);
  await expect(tasks.quickAdd).toHaveValue("Read by Friday #books !low");
  await expect(page.getByRole("list", { name: "Recognized" }).getByRole("listitem")).toHaveText(["books", "Low"]);
  await tasks.quickAdd.press("Enter");
  const retried = await next();
  await tasks.quickAdd.fill("Something else");
  await retried.fulfill(FULL);
  await page.getByRole("button", { name: "Retry adding “Read by Friday #books !low”" }).click();
  await (await next()).continue();

  await expect(tasks.checkbox("Read by Friday")).toBeEnabled();
  await expect.poll(() => account.api.find()).toMatchObject([{ category: "books", priority: "low", dueDate: null }]);
});

test("each added task that the filters hide has its own toast", async ({ page, tasks }) => {
  await tasks.open("?priority=high");
  const next = await holdRequests(page, "POST");
  for (const title of ["Alpha", "Beta"]) {
    await tasks.type(title);
    await tasks.quickAdd.press("Enter");
  }

  await (await next()).continue();
  await (await next()).continue();

  await expect(tasks.toast("“Alpha” added. Your filters hide it.")).toHaveCount(1);
  await expect(tasks.toast("“Beta” added. Your filters hide it.")).toHaveCount(1);
});

for (const [failure, fail] of [
  ["whose response is lost", (route: Route) => route.fetch().then(() => route.abort("connectionreset"))],
  ["that never arrives", (route: Route) => route.abort("connectionreset")],
  ["that a busy API refuses", (route: Route) => route.fulfill(BUSY)],
] as const) {
  test(`an addition ${failure} is sent again and adds one task`, async ({ page, tasks, account, browserErrors }) => {
    browserErrors.allowUnreachable();
    browserErrors.allowStatus(503);
    await tasks.open();
    const next = await holdRequests(page, "POST");
    await tasks.type("Alpha");
    await tasks.quickAdd.press("Enter");

    const first = await next();
    await fail(first);
    const second = await next();
    await second.continue();

    expect(second.request().headers()["idempotency-key"]).toBe(first.request().headers()["idempotency-key"]);
    await expect(tasks.checkbox("Alpha")).toBeEnabled();
    await expect(tasks.checkbox("Alpha")).toHaveCount(1);
    await expect(tasks.quickAdd).toHaveValue("");
    await expect(page.getByRole("alert").getByText("Alpha")).toHaveCount(0);
    await expect.poll(() => account.api.titles()).toEqual(["Alpha"]);
  });
}

test("an addition that got no response at all can be sent again without a second task", async ({
  page,
  tasks,
  account,
  browserErrors,
}) => {
  browserErrors.allowUnreachable();
  await tasks.open();
  const next = await holdRequests(page, "POST");
  await tasks.type("Alpha");
  await tasks.quickAdd.press("Enter");

  const keys = new Set<string | undefined>();
  for (let attempt = 0; attempt < 5; attempt++) {
    const alpha = await next();
    keys.add(alpha.request().headers()["idempotency-key"]);
    await alpha.fetch();
    await alpha.abort("connectionreset");
  }
  const alert = page.getByRole("alert").filter({ hasText: "this task won’t be added twice" });
  await expect(alert).not.toContainText("Couldn’t add");
  await expect(tasks.quickAdd).toHaveValue("Alpha");
  await tasks.quickAdd.press("Enter");
  const retried = await next();
  keys.add(retried.request().headers()["idempotency-key"]);
  await retried.continue();

  await expect(alert).toBeHidden();
  await expect(tasks.checkbox("Alpha")).toHaveCount(1);
  await expect(tasks.checkbox("Alpha")).toBeEnabled();
  expect([...keys]).toEqual([expect.stringMatching(/^"[0-9a-f-]{36}"$/)]);
  await expect.poll(() => account.api.titles()).toEqual(["Alpha"]);
});

test("a line that is changed after it failed is another task", async ({ page, tasks, account, browserErrors }) => {
  browserErrors.allowStatus(409);
  await tasks.open();
  const next = await holdRequests(page, "POST");
  await tasks.type("Alpha");
  await tasks.quickAdd.press("Enter");

  const first = await next();
  await first.fulfill(FULL);
  await expect(tasks.quickAdd).toHaveValue("Alpha");
  await tasks.quickAdd.fill("Beta");
  await tasks.quickAdd.press("Enter");
  const second = await next();
  await second.continue();

  expect(second.request().headers()["idempotency-key"]).not.toBe(first.request().headers()["idempotency-key"]);
  await expect.poll(() => account.api.titles()).toEqual(["Beta"]);
});

test("a task added before the parser has loaded is added once, and the next text stays", async ({
  page,
  tasks,
  account,
}) => {
  // The parser is the only script that loads after the page.
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route("**/_next/static/**/*.js", async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    if (body.includes("forwardDate")) await released;
    await route.fulfill({ response, body });
  });
  await tasks.open();

  await tasks.type("Alpha !high");
  await tasks.quickAdd.press("Enter");
  await expect(tasks.quickAdd).toHaveValue("");
  await tasks.quickAdd.press("Enter");
  await tasks.quickAdd.fill("Bet");
  release();

  await expect(tasks.checkbox("Alpha")).toBeEnabled();
  await expect(tasks.quickAdd).toHaveValue("Bet");
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "Alpha", priority: "high" }]);
});

test("a page with a failed task asks before the user leaves", async ({ page, tasks, browserErrors }) => {
  browserErrors.allowStatus(409);
  await tasks.open();
  const next = await holdRequests(page, "POST");
  await tasks.type("Alpha");
  await tasks.quickAdd.press("Enter");
  await tasks.quickAdd.fill("Bet");
  await (await next()).fulfill(FULL);
  await expect(page.getByRole("alert").getByText("Couldn’t add “Alpha”.")).toBeVisible();

  const question = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });

  const dialog = await question;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss();
  await expect(page.getByRole("alert").getByText("Couldn’t add “Alpha”.")).toBeVisible();
});

test("while an edit is being saved it can neither be changed nor cancelled", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Old" });
  await tasks.open();
  const editor = await tasks.edit("Old");
  await editor.getByLabel("Title").fill("New");
  const next = await holdRequests(page, "PATCH");

  await page.keyboard.press("Control+Enter");
  await page.keyboard.type("er");
  await expect(editor.getByRole("button", { name: "Saving…" })).toBeVisible();
  const patch = await next();
  await editor.getByLabel("Priority").focus();
  await page.keyboard.press("ArrowUp");
  await editor.getByRole("button", { name: "Cancel" }).click({ force: true });
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");

  await expect(editor.getByLabel("Title")).toHaveValue("New");
  await expect(editor.getByLabel("Priority")).toHaveValue("medium");
  await expect(editor.getByRole("button", { name: "Cancel" })).toBeDisabled();
  await patch.continue();
  await expect(editor).toBeHidden();
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "New", priority: "medium" }]);
});

for (const input of ["keyboard", "pointer"] as const) {
  test(`after a failed save by ${input} the focus stays, and editing can continue`, async ({
    page,
    tasks,
    account,
    browserErrors,
  }) => {
    browserErrors.allowStatus(503);
    await account.api.create({ title: "Old" });
    await tasks.open();
    const editor = await tasks.edit("Old");
    const title = editor.getByLabel("Title");
    const save = editor.getByRole("button", { name: "Save" });
    await title.fill("New");
    const next = await holdRequests(page, "PATCH");

    if (input === "keyboard") await page.keyboard.press("Control+Enter");
    else await save.click();
    await (await next()).fulfill(BUSY);

    await expect(editor.getByRole("alert")).toContainText("busy");
    await expect(input === "keyboard" ? title : save).toBeFocused();
    await title.press("End");
    await title.pressSequentially("er");
    await title.press("Enter");
    await (await next()).continue();
    await expect(editor).toBeHidden();
    await expect.poll(() => account.api.titles()).toEqual(["Newer"]);
  });
}

test("the draft cannot change while a save fetches the other version", async ({
  page,
  tasks,
  account,
  browserErrors,
}) => {
  browserErrors.allowStatus(412);
  const { id } = await account.api.create({ title: "Old" });
  await tasks.open();
  const editor = await tasks.edit("Old");
  await account.api.complete(id);
  const next = await holdRequests(page, "GET");
  await editor.getByLabel("Title").fill("New");

  await page.keyboard.press("Control+Enter");
  const read = await next();
  await page.keyboard.type("er");
  await expect(editor.getByLabel("Title")).toHaveValue("New");
  await read.continue();

  await expect(editor).toBeHidden();
  await expect(tasks.toast("The task changed in the meantime. Both changes were kept.")).toBeVisible();
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "New", status: "completed" }]);
});

test("a click on the checkbox just before an edit is no conflict", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Old" });
  await tasks.open();
  const next = await holdRequests(page, "PATCH", /\/complete$/);
  await tasks.checkbox("Old").click();
  const editor = await tasks.edit("Old");
  await editor.getByLabel("Title").fill("New");
  const response = page.waitForResponse(/\/complete$/);
  await (await next()).continue();
  await response;

  await editor.getByRole("button", { name: "Save" }).click();

  await expect(editor).toBeHidden();
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "New", status: "completed", version: 3 }]);
  await expect(tasks.toast("changed in the meantime")).toHaveCount(0);
});

test("the same edit in two windows is no conflict", async ({ page, tasks, account, browserErrors }) => {
  browserErrors.allowStatus(412);
  const { id } = await account.api.create({ title: "Old" });
  await tasks.open();
  const editor = await tasks.edit("Old");
  const theirs = { title: "New", category: "garden", dueDate: "2030-05-17T16:30:00Z" };
  const response = await account.api.request(`me/tasks/${id}`, { method: "PATCH", body: JSON.stringify(theirs) });
  expect(response.status).toBe(200);

  await editor.getByLabel("Title").fill(" New ");
  await editor.getByLabel("Category").fill("Garden");
  await editor.getByLabel("Due").fill("2030-05-17");
  await editor.getByLabel("Time").fill("18:30");
  await editor.getByRole("button", { name: "Save" }).click();

  await expect(editor).toBeHidden();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(tasks.title("New")).toBeVisible();
});

test("Ctrl+Enter does not clear a half-typed date", async ({ page, tasks, account }) => {
  await account.api.create({ title: "Pay", dueDate: "2030-05-17" });
  await tasks.open();
  const editor = await tasks.edit("Pay");
  const due = editor.getByLabel("Due");

  await due.focus();
  await page.keyboard.press("Delete");
  await expect.poll(() => due.evaluate((input: HTMLInputElement) => input.validity.badInput)).toBe(true);
  await page.keyboard.press("Control+Enter");

  await expect(due).toBeFocused();
  await expect(editor).toBeVisible();
  await expect(editor.getByRole("button", { name: "Save" })).toBeEnabled();
  expect(await account.api.find()).toMatchObject([{ dueDate: "2030-05-17" }]);
});

for (const key of ["Delete", "Backspace"]) {
  test(`holding ${key} deletes one task`, async ({ page, tasks, account }) => {
    await account.api.createAll([{ title: "Three" }, { title: "Two" }, { title: "One" }]);
    await tasks.open();
    await tasks.title("One").focus();

    await page.keyboard.down(key);
    await expect(tasks.title("Two")).toBeFocused();
    for (let time = 0; time < 3; time++) await page.keyboard.down(key);
    await page.keyboard.up(key);

    await tasks.expectTitles(["Two", "Three"]);
    await page.keyboard.press(key);
    await tasks.expectTitles(["Three"]);
  });
}

test("holding x completes one task once", async ({ page, tasks, account }) => {
  await account.api.createAll([{ title: "Two" }, { title: "One" }]);
  await tasks.open();
  await tasks.title("One").focus();

  for (let time = 0; time < 4; time++) await page.keyboard.down("x");
  await page.keyboard.up("x");

  await expect(tasks.checkbox("One")).toBeChecked();
  await expect(tasks.checkbox("Two")).not.toBeChecked();
  await expect.poll(() => account.api.find()).toMatchObject([{ status: "completed" }, { status: "pending" }]);
});

test("a double click on a title works like a click", async ({ page, tasks }) => {
  await tasks.open();
  await tasks.add("One");

  await tasks.title("One").dblclick();

  const editor = page.getByRole("form", { name: "Edit One" });
  await expect(editor.getByLabel("Title")).toBeFocused();
  await page.keyboard.press("End");
  await page.keyboard.type(" more");
  await expect(editor.getByLabel("Title")).toHaveValue("One more");
});

test("an editor opens entirely in view", async ({ tasks, account }) => {
  await account.api.createAll(Array.from({ length: 20 }, (_, n) => ({ title: `Task ${n}` })));
  await tasks.open();
  await tasks.row("Task 8").evaluate((row) => {
    window.scrollTo(0, row.getBoundingClientRect().bottom + window.scrollY - window.innerHeight);
  });

  const editor = await tasks.edit("Task 8");

  await expect(editor.getByRole("button", { name: "Save" })).toBeInViewport({ ratio: 1 });
});

test("a long title does not fill the page when its task is deleted", async ({ tasks, account }) => {
  const title = "long ".repeat(50).trim();
  await account.api.create({ title });
  await tasks.open();

  await tasks.delete(title);

  await expect(tasks.toast(/^“(?:long ){15}long…” deletedUndo$/)).toBeVisible();
});
