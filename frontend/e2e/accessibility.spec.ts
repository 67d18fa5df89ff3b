import { fileURLToPath } from "node:url";

import type { Page } from "@playwright/test";
import axe, { type AxeResults } from "axe-core";

import { test as base, expect, fromOwnAddress } from "./fixtures";
import { Screen } from "./screen";

const SCREENSHOTS = fileURLToPath(new URL("screenshots", import.meta.url));

const WIDTHS = { wide: 1100, narrow: 390 };

/** Looks at what `page` shows in light and dark, wide and narrow: axe finds nothing bad, and nothing is cut off. */
const test = base.extend<{ look: (state: string, page?: Page) => Promise<void> }>({
  look: async ({ page: first }, use) => {
    await use(async (state, page = first) => {
      for (const [size, width] of Object.entries(WIDTHS)) {
        await page.setViewportSize({ width, height: 800 });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await expect(page.locator("html")).toHaveClass(new RegExp(`\\b${colorScheme}\\b`));
          await page.screenshot({ path: `${SCREENSHOTS}/${state}-${colorScheme}-${size}.png` });
          const where = `${state}, ${colorScheme}, ${size}`;
          expect.soft(await violations(page), where).toEqual([]);
          const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          expect.soft(excess, `${where}: scrolls sideways`).toBeLessThanOrEqual(0);
        }
      }
      await page.emulateMedia({ colorScheme: null });
      await page.setViewportSize({ width: WIDTHS.wide, height: 800 });
    });
  },
});

async function violations(page: Page): Promise<string[]> {
  // Past the page's content security policy, which holds for scripts of the page.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const results = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }),
  );
  return (results as AxeResults).violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

// Of every kind, and long ones.
const TASKS = [
  { title: "Read a book", category: "leisure" },
  { title: "Water the plants", category: "garden", priority: "low", description: "The roses first." },
  { title: "Write the report", priority: "high", category: "work", dueDate: "2020-02-03" },
  {
    title: "Book a flight",
    dueDate: "2031-05-17T15:30:00Z",
    description: "To Lisbon, with a window.\nNot before noon.",
  },
  { title: `Find out why ${"rather ".repeat(12)}long titles break`, category: "a-category-with-a-name-of-some-length" },
  { title: "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenfabrikantenverband anrufen" },
  { title: "Pay the rent", priority: "high", category: "home", dueDate: "2031-01-01" },
] as const;

test.describe("signed out", () => {
  test("sign-in and sign-up", async ({ page, look }) => {
    await page.goto("/sign-in");
    await look("sign-in");
    await page.goto("/sign-in?reason=signed-out");
    await look("sign-in-notice");
    await page.goto("/sign-up");
    await look("sign-up");
  });

  test("sign-in with an error", async ({ page, look, complaints }) => {
    complaints.allowStatus(401);
    await fromOwnAddress(page);
    await page.goto("/sign-in");
    await page.getByLabel("Email").fill("nobody@example.com");
    await page.getByLabel("Password").fill("a guess at it");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert").getByText("Invalid email or password.")).toBeVisible();

    await look("sign-in-error");
  });

  test("a page that is not there", async ({ page, look, complaints }) => {
    complaints.allowStatus(404);
    await page.goto("/not-there");
    await expect(page.getByRole("heading").first()).toBeVisible();

    await look("not-found");
  });
});

test("no tasks", async ({ tasks, look }) => {
  await tasks.open();

  await look("empty");
});

test("while tasks are loading", async ({ page, account: _, look, complaints }) => {
  complaints.allowUnreachable(); // the requests that are let go at the end
  await page.route("**/tasks?*", () => {}); // no answer yet
  await page.goto("/");
  await expect(page.getByRole("status", { name: "Loading your tasks" })).toBeVisible();

  await look("loading");
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("tasks that could not be loaded", async ({ page, account: _, look, complaints }) => {
  complaints.allowUnreachable();
  await page.route("**/tasks?*", (route) => route.abort());
  await page.goto("/");
  await expect(page.getByRole("alert").getByText("could not be loaded")).toBeVisible();

  await look("failed");
});

test("offline", async ({ account, tasks, context, look, complaints }) => {
  complaints.allowUnreachable();
  await account.api.createAll(TASKS);
  await tasks.open();
  await context.setOffline(true);
  await tasks.checkbox("Read a book").click();
  await expect(tasks.page.getByRole("status").filter({ hasText: "1 change will be sent" })).toBeVisible();

  await look("offline");
  await context.setOffline(false);
});

test.describe("with tasks", () => {
  test.beforeEach(async ({ account, tasks }) => {
    const [first] = await account.api.createAll(TASKS);
    await account.api.complete(first?.id ?? "");
    await tasks.open();
    await expect(tasks.rows).toHaveCount(TASKS.length);
  });

  test("the list", async ({ tasks, look }) => {
    await look("list");
    await tasks.title("Write the report").focus();
    await look("list-focus");
  });

  test("quick add with what it understood", async ({ tasks, look }) => {
    await tasks.type("Call the bank on Friday 9am !high #money");
    await expect(tasks.page.getByRole("list", { name: "Understood" }).getByRole("listitem")).toHaveCount(3);

    await look("quick-add");
  });

  test("quick add that was refused", async ({ page, tasks, look, complaints }) => {
    complaints.allowStatus(422);
    await tasks.type("x".repeat(256));
    await tasks.quickAdd.press("Enter");
    await expect(page.getByRole("alert").getByText("This was not added.")).toBeVisible();

    await look("quick-add-error");
  });

  test("quick add with tasks that were not added", async ({ page, tasks, look, complaints }) => {
    complaints.allowStatus(503);
    let begun = () => {};
    const somethingElse = new Promise<void>((resolve) => {
      begun = resolve;
    });
    await page.route(/\/tasks$/, async (route) => {
      await somethingElse;
      await route.fulfill({ status: 503, contentType: "application/problem+json", body: "{}" });
    });
    for (const title of ["Call the bank", "x".repeat(256)]) {
      await tasks.type(title);
      await tasks.quickAdd.press("Enter");
    }
    await tasks.quickAdd.fill("Something else");
    begun();
    await expect(page.getByRole("alert").getByText("was not added.")).toHaveCount(2);

    await look("quick-add-failures");
  });

  test("filters", async ({ page, tasks, look }) => {
    await tasks.open("?category=home&priority=high&sort=due");
    await tasks.expectTitles(["Pay the rent"]);
    await look("filtered");
    await tasks.search.fill("nowhere to be found");
    await expect(page.getByRole("heading", { name: "No task is like that" })).toBeVisible();
    await look("nothing-found");
  });

  test("the editor", async ({ tasks, look, complaints }) => {
    complaints.allowStatus(422);
    const editor = await tasks.edit("Book a flight");
    await look("editor");

    await editor.getByLabel("Title").fill("");
    await editor.getByLabel("Category").fill("c".repeat(51));
    await editor.getByRole("button", { name: "Save" }).click();
    await expect(editor.getByLabel("Title")).toHaveAttribute("aria-invalid", "true");
    await look("editor-error");
  });

  test("a conflict", async ({ page, tasks, account, look, complaints }) => {
    complaints.allowStatus(412);
    const editor = await tasks.edit("Book a flight");
    const [flight] = (await account.api.find()).filter(({ title }) => title === "Book a flight");
    const body = JSON.stringify({ description: "To Porto", title: "Book a train" });
    expect((await account.api.request(`me/tasks/${flight?.id}`, { method: "PATCH", body })).status).toBe(200);
    await editor.getByLabel("Title").fill("Book a ship");
    await editor.getByLabel("Description").fill("To Faro, by the end of the month.\nAnd back again.");
    await editor.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("dialog", { name: "Changed in two places" })).toBeVisible();

    await look("conflict");
  });

  test("a task that is gone", async ({ tasks, account, look, complaints }) => {
    complaints.allowStatus(404, 412);
    const editor = await tasks.edit("Read a book");
    const [book] = (await account.api.find()).filter(({ title }) => title === "Read a book");
    await account.api.delete(book?.id ?? "");
    await editor.getByLabel("Title").fill("Read another book");
    await editor.getByRole("button", { name: "Save" }).click();
    await expect(editor.getByRole("alert")).toContainText("deleted in another window");

    await look("editor-gone");
  });

  test("a deletion that can be undone", async ({ tasks, look }) => {
    await tasks.delete("Read a book");
    await tasks.toast("“Read a book” deleted").hover(); // by which it stays

    await look("deleted");
  });

  test("the menu", async ({ tasks, look }) => {
    await expect(await tasks.menu()).toBeVisible();

    await look("menu");
  });

  test("the list of keys", async ({ page, look }) => {
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();

    await look("shortcuts");
  });
});

test("the account", async ({ page, account: _, look, complaints }) => {
  complaints.allowStatus(400);
  await fromOwnAddress(page);
  await page.goto("/account");
  await look("account");

  await page.getByRole("button", { name: "Save name" }).click();
  await expect(new Screen(page).toast("Your name has been changed.")).toBeVisible();
  await new Screen(page).toast("Your name has been changed.").hover();
  await look("account-saved");

  await page.getByRole("button", { name: "Delete account …" }).click();
  const dialog = page.getByRole("dialog");
  await look("account-delete");
  await dialog.getByLabel("Your password, to confirm").fill("not this one");
  await dialog.getByRole("button", { name: "Delete account and tasks" }).click();
  await expect(dialog.getByRole("alert").getByText("Invalid password.")).toBeVisible();
  await look("account-delete-error");
});
