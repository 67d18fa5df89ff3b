import type { Locator } from "@playwright/test";

import { expect, test } from "./fixtures";

/** The element has the focus, and shows it. */
async function expectFocus(element: Locator) {
  await expect(element).toBeFocused();
  await expect(element).toBeInViewport();
  const outline = await element.evaluate((target) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(target);
    return { style: outlineStyle, width: Number.parseFloat(outlineWidth) };
  });
  expect(outline.style).not.toBe("none");
  expect(outline.width).toBeGreaterThanOrEqual(2);
}

test("add tasks one after the other, then go through the list", async ({ page, tasks }) => {
  await tasks.open();
  const { keyboard } = page;

  await keyboard.press("n");
  await expectFocus(tasks.quickAdd);
  for (const title of ["One", "Two", "Three"]) {
    await keyboard.type(title);
    await keyboard.press("Enter");
    await expect(tasks.checkbox(title)).toBeEnabled();
    await expectFocus(tasks.quickAdd);
  }
  await keyboard.press("Escape");
  await expect(tasks.quickAdd).not.toBeFocused();

  await keyboard.press("j");
  await expectFocus(tasks.title("Three"));
  await keyboard.press("j");
  await expectFocus(tasks.title("Two"));
  await keyboard.press("ArrowDown");
  await expectFocus(tasks.title("One"));
  await keyboard.press("j");
  await expectFocus(tasks.title("One"));
  await keyboard.press("ArrowUp");
  await keyboard.press("k");
  await expectFocus(tasks.title("Three"));
});

test("complete, reopen and edit", async ({ page, tasks, account }) => {
  const { keyboard } = page;
  await account.api.createAll([{ title: "One" }, { title: "Two" }]);
  await tasks.open();
  await tasks.title("Two").focus();

  await keyboard.press("x");
  await expect(tasks.checkbox("Two")).toBeChecked();
  await expectFocus(tasks.title("Two"));
  await keyboard.press("x");
  await expect(tasks.checkbox("Two")).not.toBeChecked();
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "Two", version: 3 }, {}]);

  const editor = page.getByRole("form", { name: "Edit Two" });
  await keyboard.press("e");
  await expectFocus(editor.getByLabel("Title"));
  await keyboard.type(" and a half");
  await keyboard.press("Escape");
  await expect(editor.getByRole("alert").getByText("Press Esc again to discard them.")).toBeVisible();
  await expect(editor.getByLabel("Title")).toHaveValue("Two and a half");
  await keyboard.press("Escape");
  await expect(editor).toBeHidden();
  await expectFocus(tasks.title("Two"));

  await keyboard.press("Enter");
  await expectFocus(editor.getByLabel("Title"));
  await keyboard.press("End");
  await keyboard.type(" and a half");
  await keyboard.press("Tab");
  await expectFocus(editor.getByLabel("Description"));
  await keyboard.type("Written");
  await keyboard.press("Control+Enter");
  await expect(editor).toBeHidden();
  await expectFocus(tasks.title("Two and a half"));
  await expect.poll(() => account.api.find()).toMatchObject([{ title: "Two and a half", description: "Written" }, {}]);
});

test("delete and undo keep the focus in the list", async ({ page, tasks, account }) => {
  const { keyboard } = page;
  await account.api.createAll([{ title: "One" }, { title: "Two" }, { title: "Three" }]);
  await tasks.open();
  await tasks.title("Three").focus();

  await keyboard.press("Delete");
  await tasks.expectTitles(["Two", "One"]);
  await expectFocus(tasks.title("Two"));
  await keyboard.press("j");
  await keyboard.press("Delete");
  await tasks.expectTitles(["Two"]);
  await expectFocus(tasks.title("Two"));
  await keyboard.press("Control+z");
  await tasks.expectTitles(["Two", "One"]);
  await keyboard.press("Control+z");
  await tasks.expectTitles(["Three", "Two", "One"]);

  await keyboard.press("j");
  await expect(page.locator("[data-task]:focus")).toHaveCount(1);
});

test("the focus moves on when a task leaves the list", async ({ page, tasks, account }) => {
  for (const title of ["Third", "Second", "First"]) await account.api.create({ title });
  await tasks.open("?status=pending");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expectFocus(tasks.title("Second"));

  await page.keyboard.press("x");
  await tasks.expectTitles(["First", "Third"]);
  await expectFocus(tasks.title("Third"));
  await page.keyboard.press("x");
  await tasks.expectTitles(["First"]);
  await expectFocus(tasks.title("First"));
});

test("delete the only task and undo", async ({ page, tasks, account }) => {
  await account.api.create({ title: "One" });
  await tasks.open();
  await tasks.title("One").focus();

  await page.keyboard.press("Delete");
  await expect(page.getByRole("heading", { name: "Nothing to do yet" })).toBeVisible();
  await page.keyboard.press("Control+z");

  await tasks.expectTitles(["One"]);
});

test("search", async ({ page, tasks, account }) => {
  const { keyboard } = page;
  await account.api.createAll([{ title: "One" }, { title: "Two" }]);
  await tasks.open();

  await keyboard.press("/");
  await expectFocus(tasks.search);
  await keyboard.type("on");
  await tasks.expectTitles(["One"]);
  await keyboard.press("Control+a");
  await keyboard.press("Backspace");
  await tasks.expectTitles(["Two", "One"]);
  await keyboard.press("Escape");

  await expect(tasks.search).not.toBeFocused();
});

test("the keyboard shortcuts", async ({ page, tasks }) => {
  await tasks.open();
  const { keyboard } = page;
  const shortcuts = page.getByRole("dialog", { name: "Keyboard shortcuts" });

  await keyboard.press("?");
  await expect(shortcuts).toBeVisible();
  await keyboard.press("n");
  await expect(tasks.quickAdd).not.toBeFocused();
  await keyboard.press("Escape");
  await expect(shortcuts).toBeHidden();

  await keyboard.press("n");
  await expectFocus(tasks.quickAdd);
});

test("undoing a deletion does not undo typing", async ({ page, tasks, account }) => {
  await account.api.createAll([{ title: "One" }, { title: "Two" }]);
  await tasks.open();
  const { keyboard } = page;
  await keyboard.press("n");
  await keyboard.type("Begun");
  await keyboard.press("Escape");
  await keyboard.press("j");
  await keyboard.press("Delete");
  await tasks.expectTitles(["One"]);

  await keyboard.press("Control+z");

  await tasks.expectTitles(["Two", "One"]);
  await expect(tasks.quickAdd).toHaveValue("Begun");
});

test("single keys can be turned off, and stay off", async ({ page, tasks, account }) => {
  await account.api.createAll([{ title: "One" }, { title: "Two" }]);
  await tasks.open();
  const { keyboard } = page;
  const shortcuts = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await keyboard.press("?");
  await shortcuts.getByRole("checkbox").uncheck();
  await keyboard.press("Escape");
  await expect(shortcuts).toBeHidden();

  for (const open of [async () => {}, async () => void (await tasks.open())]) {
    await open();
    for (const key of ["n", "/", "?", "j"]) await keyboard.press(key);
    await expect(shortcuts).toBeHidden();
    await expect(page.locator(":focus:not(body)")).toHaveCount(0);
    await tasks.title("Two").focus();
    await keyboard.press("j");
    await expectFocus(tasks.title("One"));
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  }

  await (await tasks.menu()).getByRole("menuitem", { name: "Keyboard shortcuts" }).click();
  await shortcuts.getByRole("checkbox").check();
  await keyboard.press("Escape");
  await expectFocus(page.getByRole("button", { name: /^Account menu: / })); // a moment after the dialog has gone
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await keyboard.press("n");
  await expectFocus(tasks.quickAdd);
});

test("the focus survives the element that had it", async ({ page, tasks, account }) => {
  await account.api.create({ title: "One", category: "home" });
  await tasks.open();
  const { keyboard } = page;
  const toolbar = page.getByRole("search");
  const list = page.getByRole("region", { name: "List" });

  await page.getByRole("button", { name: "Show category home" }).click();
  await page.getByRole("button", { name: "#home Remove filter" }).press("Enter");
  await expect(toolbar).toBeFocused();
  await page.getByLabel("Priority").selectOption("High");
  await page.getByRole("button", { name: "Clear filters" }).press("Enter");
  await expect(toolbar).toBeFocused();
  await tasks.search.fill("nothing");
  await page.getByRole("button", { name: "Clear search and filters" }).press("Enter");
  await expect(list).toBeFocused();

  await keyboard.press("j");
  await keyboard.press("Delete");
  await expect(page.getByRole("heading", { name: "Nothing to do yet" })).toBeVisible();
  await expect(list).toBeFocused();
});

test("changes of the list are announced", async ({ page, tasks }) => {
  await tasks.open();
  const status = page.getByRole("region", { name: "List" }).getByRole("status");
  await expect(status).toHaveText("No tasks.");

  await tasks.type("Pay the rent tomorrow");
  await expect(page.getByRole("status").filter({ hasText: "Tomorrow" })).toBeVisible();
  await tasks.quickAdd.press("Enter");
  await expect(status).toHaveText("1 task.");
  await tasks.add("Call");
  await expect(status).toHaveText("2 tasks.");
  await tasks.search.fill("nothing");
  await expect(status).toHaveText("No tasks.");
});

test("a dialog returns the focus when it closes", async ({ page, tasks, account }) => {
  await account.api.createAll([{ title: "One" }, { title: "Two" }]);
  await tasks.open();
  const { keyboard } = page;
  const shortcuts = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await keyboard.press("j");
  await keyboard.press("j");

  await keyboard.press("?");
  await expect(shortcuts).toBeVisible();
  await keyboard.press("Escape");
  await expect(shortcuts).toBeHidden();
  await expectFocus(tasks.title("One"));

  await (await tasks.menu()).getByRole("menuitem", { name: "Keyboard shortcuts" }).click();
  await expect(shortcuts).toBeVisible();
  await keyboard.press("Escape");
  await expect(shortcuts).toBeHidden();
  await expect(page.getByRole("button", { name: /^Account menu: / })).toBeFocused();
});

test("keys typed into a field are only text", async ({ page, tasks }) => {
  await tasks.open();
  await tasks.add("One");
  const editor = await tasks.edit("One");

  await editor.getByLabel("Description").pressSequentially("n/?xejk");
  await page.keyboard.press("Delete");

  await expect(editor.getByLabel("Description")).toHaveValue("n/?xejk");
  await expect(page.getByRole("dialog")).toBeHidden();
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor).toBeHidden();
  await tasks.expectTitles(["One"]);
});

test("Tab goes through the whole page, and every stop is visible", async ({ page, tasks }) => {
  await tasks.open();
  await tasks.add("One #home", "One");
  await page.reload();
  await tasks.loaded();
  const stops: string[] = [];

  for (;;) {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    if ((await focused.count()) === 0) break;
    await expectFocus(focused);
    stops.push(await focused.evaluate((element) => element.getAttribute("aria-label") ?? element.textContent ?? ""));
    // A button that appears only on hover would be an invisible stop.
    await expect
      .poll(() => focused.evaluate((element) => element.checkVisibility({ opacityProperty: true })))
      .toBe(true);
    if (stops.length > 30) break;
  }

  expect(stops.map((stop) => stop.trim())).toEqual([
    "Account menu: Ada Lovelace",
    "New task",
    "Add",
    "Search",
    "Status",
    "Priority",
    "Due",
    "Order",
    "Done: One",
    "One",
    "Show category home",
    "Edit One",
    "Delete One",
  ]);
});

test("the menu and the theme by keys", async ({ page, tasks }) => {
  await tasks.open();
  await page.getByRole("button", { name: /^Account menu: / }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Account" })).toBeFocused();

  for (const item of ["Keyboard shortcuts", "Theme: system"]) {
    await page.keyboard.press("ArrowDown");
    await expect(page.getByRole("menuitem", { name: item })).toBeFocused();
  }
  for (const theme of ["light", "dark"]) {
    await page.keyboard.press("Enter");
    await expect(page.getByRole("menuitem", { name: `Theme: ${theme}` })).toBeFocused();
  }
  await expect(page.locator("html")).toHaveClass(/dark/);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: /^Account menu: / })).toBeFocused();

  await page.reload();
  await tasks.loaded();
  await expect(page.locator("html")).toHaveClass(/dark/);
});
