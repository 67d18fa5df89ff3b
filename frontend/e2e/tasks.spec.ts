import { expect, test } from "./fixtures";

test("quick add recognizes a day, a time, a priority and a category", async ({ page, tasks, account }) => {
  await tasks.open();
  await tasks.type("Pay the rent tomorrow 5pm !high #home");
  const chips = page.getByRole("list", { name: "Recognized" }).getByRole("listitem");
  await expect(chips).toHaveText(["Tomorrow 5:00 PM", "High", "home"]);
  await tasks.quickAdd.press("Enter");

  const row = tasks.row("Pay the rent");
  await expect(tasks.checkbox("Pay the rent")).toBeEnabled();
  await expect(row).toContainText("Tomorrow 5:00 PM");
  await expect(row).toContainText("High priority");
  await expect(row).toContainText("#home");
  await expect(tasks.quickAdd).toHaveValue("");
  await expect(tasks.quickAdd).toBeFocused();
  await expect
    .poll(() => account.api.find())
    .toMatchObject([{ title: "Pay the rent", priority: "high", category: "home" }]);
});

test("a recognized piece can be rejected", async ({ page, tasks, account }) => {
  await tasks.open();
  await tasks.type("Read Nineteen Eighty-Four by Friday !low #books");

  await page.getByRole("button", { name: "Keep “by Friday” in the title" }).click();
  await expect(page.getByRole("list", { name: "Recognized" }).getByRole("listitem")).toHaveText(["Low", "books"]);
  await expect(tasks.quickAdd).toBeFocused();
  await tasks.quickAdd.press("Enter");

  await expect(tasks.checkbox("Read Nineteen Eighty-Four by Friday")).toBeEnabled();
  await expect.poll(() => account.api.find()).toMatchObject([{ priority: "low", category: "books", dueDate: null }]);
});

test("a line that cannot be added comes back into the field", async ({ page, tasks, browserErrors }) => {
  await tasks.open();
  browserErrors.allowStatus(422);
  const title = "x".repeat(256);

  await tasks.type(title);
  await tasks.quickAdd.press("Enter");

  await expect(page.getByRole("alert").getByText("Couldn’t add this task.")).toBeVisible();
  await expect(tasks.quickAdd).toHaveValue(title);
  await expect(tasks.rows).toHaveCount(0);
});

test("a line submitted as soon as it is typed becomes a task", async ({ tasks, account }) => {
  await tasks.open();
  await tasks.quickAdd.pressSequentially("Quick as a flash");
  await tasks.quickAdd.press("Enter");

  await expect(tasks.checkbox("Quick as a flash")).toBeEnabled();
  await expect.poll(() => account.api.titles()).toEqual(["Quick as a flash"]);
});

test("edit every field in place", async ({ page, tasks, account }) => {
  await tasks.open();
  await tasks.add("Water the plants");
  const editor = await tasks.edit("Water the plants");

  await editor.getByLabel("Title").fill("Water the garden");
  await editor.getByLabel("Description").fill("The roses first.\nThen the rest.");
  await editor.getByLabel("Due").fill("2030-05-17");
  await editor.getByLabel("Time").fill("18:30");
  await editor.getByLabel("Priority").selectOption("Low");
  await editor.getByLabel("Category").fill("  Garden ");
  await editor.getByRole("button", { name: "Save" }).click();

  await expect(editor).toBeHidden();
  await expect(tasks.title("Water the garden")).toBeFocused();
  const saved = {
    title: "Water the garden",
    description: "The roses first.\nThen the rest.",
    dueDate: "2030-05-17T16:30:00.000000Z",
    priority: "low",
    category: "garden",
  };
  await expect.poll(() => account.api.find()).toMatchObject([saved]);

  await page.reload();
  const reopened = await tasks.edit("Water the garden");
  await expect(reopened.getByLabel("Description")).toHaveValue(saved.description);
  await expect(reopened.getByLabel("Due")).toHaveValue("2030-05-17");
  await expect(reopened.getByLabel("Time")).toHaveValue("18:30");
  await expect(reopened.getByLabel("Priority")).toHaveValue("low");
  await expect(reopened.getByLabel("Category")).toHaveValue("garden");
});

test("every field except the title can be cleared", async ({ tasks, account, browserErrors }) => {
  browserErrors.allowStatus(422);
  await account.api.create({ title: "Full", description: "text", dueDate: "2030-01-05", category: "home" });
  await tasks.open();
  const editor = await tasks.edit("Full");

  await editor.getByLabel("Title").fill(" ");
  await editor.getByLabel("Description").fill("");
  await editor.getByLabel("Due").fill("");
  await editor.getByLabel("Category").fill("");
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor.getByLabel("Title")).toHaveAttribute("aria-invalid", "true");
  await editor.getByLabel("Title").fill("Empty");
  await editor.getByRole("button", { name: "Save" }).click();

  await expect(tasks.title("Empty")).toBeVisible();
  await expect.poll(() => account.api.find()).toMatchObject([{ description: null, dueDate: null, category: "other" }]);
});

test("errors from the API show at their fields, and the draft stays", async ({ tasks, account, browserErrors }) => {
  await tasks.open();
  browserErrors.allowStatus(422);
  await tasks.add("Short");
  const editor = await tasks.edit("Short");
  const title = editor.getByLabel("Title");
  const description = editor.getByLabel("Description");

  await title.fill("x".repeat(256));
  await description.fill("y".repeat(10_001));
  await editor.getByLabel("Category").fill("z".repeat(51));
  await editor.getByRole("button", { name: "Save" }).click();

  for (const [field, limit] of [
    [title, "255"],
    [description, "10000|10,000"],
    [editor.getByLabel("Category"), "50"],
  ] as const) {
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(new RegExp(limit));
  }
  await expect(title).toBeFocused();
  await expect(title).toHaveValue("x".repeat(256));
  await expect(description).toHaveValue("y".repeat(10_001));

  await title.fill("x".repeat(255));
  await description.fill("y".repeat(10_000));
  await editor.getByLabel("Category").fill("z".repeat(50));
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor).toBeHidden();
  await expect.poll(() => account.api.titles()).toEqual(["x".repeat(255)]);
});

test("opening another editor keeps the draft of the first", async ({ tasks, account }) => {
  await account.api.createAll([{ title: "One" }, { title: "Two" }]);
  await tasks.open();
  const first = await tasks.edit("One");
  await first.getByLabel("Title").fill("One and a half");

  const second = await tasks.edit("Two");
  await second.getByRole("button", { name: "Cancel" }).click();

  await expect(first.getByLabel("Title")).toHaveValue("One and a half");
  await first.getByRole("button", { name: "Save" }).click();
  await tasks.expectTitles(["Two", "One and a half"]);
});

test("toggle, and toggle back", async ({ page, tasks, account }) => {
  await tasks.open();
  await tasks.add("Call mum");
  const statistics = page.getByRole("figure", { name: "Statistics" });

  await tasks.checkbox("Call mum").click();
  await expect(tasks.checkbox("Call mum")).toBeChecked();
  await expect(statistics).toContainText("1 done");
  await page.reload();
  await expect(tasks.checkbox("Call mum")).toBeChecked();

  await tasks.checkbox("Call mum").click();
  await expect(tasks.checkbox("Call mum")).not.toBeChecked();
  await expect(statistics).toContainText("1 open");
  await expect.poll(() => account.api.find()).toMatchObject([{ status: "pending" }]);
});

test("after many clicks a checkbox shows what the API has", async ({ tasks, account }) => {
  await tasks.open();
  await tasks.add("Undecided");

  for (let click = 0; click < 5; click++) await tasks.checkbox("Undecided").click();

  await expect(tasks.checkbox("Undecided")).toBeChecked();
  await expect.poll(() => account.api.find()).toMatchObject([{ status: "completed" }]);
  await expect(tasks.checkbox("Undecided")).toBeChecked();
});

test("a deletion can be undone with its button and with Ctrl+Z", async ({ page, tasks, account }) => {
  await tasks.open();
  for (const title of ["One", "Two", "Three"]) await tasks.add(title);
  const versions = await account.api.find();

  await tasks.delete("Two");
  await tasks.toast("“Two” deleted").getByRole("button", { name: "Undo" }).click();
  await tasks.expectTitles(["Three", "Two", "One"]);

  await tasks.delete("One");
  await tasks.delete("Three");
  await page.keyboard.press("Control+z");
  await tasks.expectTitles(["Three", "Two"]);
  await page.keyboard.press("Control+z");
  await tasks.expectTitles(["Three", "Two", "One"]);
  await expect(tasks.toast("deleted")).toHaveCount(0);
  expect(await account.api.find()).toEqual(versions);
});

test("a deletion is sent when its undo expires", async ({ page, tasks, account }) => {
  await tasks.open();
  await tasks.add("Keep");
  await tasks.add("Throw away");

  await tasks.delete("Throw away");
  expect(await account.api.titles()).toHaveLength(2);
  await page.mouse.move(0, 0); // a toast stays while the pointer is over it

  await expect.poll(() => account.api.titles(), { timeout: 15_000 }).toEqual(["Keep"]);
  await tasks.expectTitles(["Keep"]);
});

for (const [departure, action] of [
  ["reloaded", "reload"],
  ["left", "goto"],
  ["closed", "close"],
] as const) {
  test(`a deletion is sent when the page is ${departure} right after it`, async ({ page, tasks, account }) => {
    await tasks.open();
    await tasks.add("Keep");
    await tasks.add("Throw away");
    await tasks.delete("Throw away");

    if (action === "goto") await page.goto("about:blank");
    else await page[action]();

    await expect.poll(() => account.api.titles()).toEqual(["Keep"]);
    if (action === "reload") await tasks.expectTitles(["Keep"]);
  });
}

test("a visit to the account page does not bring back a deleted task", async ({ page, tasks, account }) => {
  await tasks.open();
  await tasks.add("Keep");
  await tasks.add("Throw away");
  await tasks.delete("Throw away");

  await (await tasks.menu()).getByRole("menuitem", { name: "Account" }).click();
  await page.getByRole("link", { name: "Back to your tasks" }).click();

  await tasks.loaded();
  await tasks.expectTitles(["Keep"]);
  await expect.poll(() => account.api.titles()).toEqual(["Keep"]);
});
