import { fileURLToPath } from "node:url";

import type { Page } from "@playwright/test";
import axe, { type AxeResults } from "axe-core";

import { test as base, expect, setRandomAddress } from "./fixtures";
import { Screen } from "./screen";

const SCREENSHOTS = fileURLToPath(new URL("screenshots", import.meta.url));

const WIDTHS = { wide: 1100, narrow: 390 };

/** Checks `page` in light and dark, wide and narrow: axe finds no serious violation, and nothing overflows sideways. */
const test = base.extend<{ inspect: (state: string, page?: Page) => Promise<void> }>({
  inspect: async ({ page: first }, use) => {
    await use(async (state, page = first) => {
      for (const [size, width] of Object.entries(WIDTHS)) {
        await page.setViewportSize({ width, height: 800 });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          await expect(page.locator("html")).toHaveClass(new RegExp(`\\b${colorScheme}\\b`));
          await page.screenshot({ path: `${SCREENSHOTS}/${state}-${colorScheme}-${size}.png` });
          const where = `${state}, ${colorScheme}, ${size}`;
          expect.soft(await violations(page), where).toEqual([]);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          expect.soft(overflow, `${where}: scrolls sideways`).toBeLessThanOrEqual(0);
        }
      }
      await page.emulateMedia({ colorScheme: null });
      await page.setViewportSize({ width: WIDTHS.wide, height: 800 });
    });
  },
});

async function violations(page: Page): Promise<string[]> {
  // Evaluated code is exempt from the page's content security policy.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const results = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run({ resultTypes: ["violations"] }),
  );
  return (results as AxeResults).violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

// Of every kind, some with long texts.
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
  test("sign-in and sign-up", async ({ page, inspect }) => {
    await page.goto("/sign-in");
    await inspect("sign-in");
    await page.goto("/sign-in?reason=signed-out");
    await inspect("sign-in-notice");
    await page.goto("/sign-up");
    await inspect("sign-up");
  });

  test("sign-in with an error", async ({ page, inspect, browserErrors }) => {
    browserErrors.allowStatus(401);
    await setRandomAddress(page);
    await page.goto("/sign-in");
    await page.getByLabel("Email").fill("nobody@example.com");
    await page.getByLabel("Password").fill("wrong password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert").getByText("Invalid email or password.")).toBeVisible();

    await inspect("sign-in-error");
  });

  test("a page that does not exist", async ({ page, inspect, browserErrors }) => {
    browserErrors.allowStatus(404);
    await page.goto("/not-there");
    await expect(page.getByRole("heading").first()).toBeVisible();

    await inspect("not-found");
  });
});

test("no tasks", async ({ tasks, inspect }) => {
  await tasks.open();

  await inspect("empty");
});

test("while tasks are loading", async ({ page, account: _, inspect, browserErrors }) => {
  browserErrors.allowUnreachable(); // for the requests that are dropped at the end
  await page.route("**/tasks?*", () => {}); // no response yet
  await page.goto("/");
  await expect(page.getByRole("status", { name: "Loading your tasks" })).toBeVisible();

  await inspect("loading");
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("tasks that fail to load", async ({ page, account: _, inspect, browserErrors }) => {
  browserErrors.allowUnreachable();
  await page.route("**/tasks?*", (route) => route.abort());
  await page.goto("/");
  await expect(page.getByRole("alert").getByText("Couldn’t load your tasks")).toBeVisible();

  await inspect("failed");
});

test("offline", async ({ account, tasks, context, inspect, browserErrors }) => {
  browserErrors.allowUnreachable();
  await account.api.createAll(TASKS);
  await tasks.open();
  await context.setOffline(true);
  await tasks.checkbox("Read a book").click();
  await expect(tasks.page.getByRole("status").filter({ hasText: "1 change will be sent" })).toBeVisible();

  await inspect("offline");
  await context.setOffline(false);
});

test.describe("with tasks", () => {
  test.beforeEach(async ({ account, tasks }) => {
    const [first] = await account.api.createAll(TASKS);
    await account.api.complete(first?.id ?? "");
    await tasks.open();
    await expect(tasks.rows).toHaveCount(TASKS.length);
  });

  test("the list", async ({ tasks, inspect }) => {
    await inspect("list");
    await tasks.title("Write the report").focus();
    await inspect("list-focus");
  });

  test("quick add with recognized pieces", async ({ tasks, inspect }) => {
    await tasks.type("Call the bank on Friday 9am !high #money");
    await expect(tasks.page.getByRole("list", { name: "Recognized" }).getByRole("listitem")).toHaveCount(3);

    await inspect("quick-add");
  });

  test("quick add with an error", async ({ page, tasks, inspect, browserErrors }) => {
    browserErrors.allowStatus(422);
    await tasks.type("x".repeat(256));
    await tasks.quickAdd.press("Enter");
    await expect(page.getByRole("alert").getByText("Couldn’t add this task.")).toBeVisible();

    await inspect("quick-add-error");
  });

  test("quick add with failed tasks", async ({ page, tasks, inspect, browserErrors }) => {
    browserErrors.allowStatus(503);
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(/\/tasks$/, async (route) => {
      await released;
      await route.fulfill({ status: 503, contentType: "application/problem+json", body: "{}" });
    });
    for (const title of ["Call the bank", "x".repeat(256)]) {
      await tasks.type(title);
      await tasks.quickAdd.press("Enter");
    }
    await tasks.quickAdd.fill("Something else");
    release();
    await expect(page.getByRole("alert").getByText("Couldn’t add “")).toHaveCount(2);

    await inspect("quick-add-failures");
  });

  test("filters", async ({ page, tasks, inspect }) => {
    await tasks.open("?category=home&priority=high&sort=due");
    await tasks.expectTitles(["Pay the rent"]);
    await inspect("filtered");
    await tasks.search.fill("nowhere to be found");
    await expect(page.getByRole("heading", { name: "No task matches" })).toBeVisible();
    await inspect("nothing-found");
  });

  test("the editor", async ({ tasks, inspect, browserErrors }) => {
    browserErrors.allowStatus(422);
    const editor = await tasks.edit("Book a flight");
    await inspect("editor");

    await editor.getByLabel("Title").fill("");
    await editor.getByLabel("Category").fill("c".repeat(51));
    await editor.getByRole("button", { name: "Save" }).click();
    await expect(editor.getByLabel("Title")).toHaveAttribute("aria-invalid", "true");
    await inspect("editor-error");
  });

  test("a conflict", async ({ page, tasks, account, inspect, browserErrors }) => {
    browserErrors.allowStatus(412);
    const editor = await tasks.edit("Book a flight");
    const [flight] = (await account.api.find()).filter(({ title }) => title === "Book a flight");
    const body = JSON.stringify({ description: "To Porto", title: "Book a train" });
    expect((await account.api.request(`me/tasks/${flight?.id}`, { method: "PATCH", body })).status).toBe(200);
    await editor.getByLabel("Title").fill("Book a ship");
    await editor.getByLabel("Description").fill("To Faro, by the end of the month.\nAnd back again.");
    await editor.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("dialog", { name: "Edited in two places" })).toBeVisible();

    await inspect("conflict");
  });

  test("a task that was deleted elsewhere", async ({ tasks, account, inspect, browserErrors }) => {
    browserErrors.allowStatus(404, 412);
    const editor = await tasks.edit("Read a book");
    const [book] = (await account.api.find()).filter(({ title }) => title === "Read a book");
    await account.api.delete(book?.id ?? "");
    await editor.getByLabel("Title").fill("Read another book");
    await editor.getByRole("button", { name: "Save" }).click();
    await expect(editor.getByRole("alert")).toContainText("deleted in another window");

    await inspect("editor-gone");
  });

  test("a deletion that can be undone", async ({ tasks, inspect }) => {
    await tasks.delete("Read a book");
    await tasks.toast("“Read a book” deleted").hover(); // which keeps it open

    await inspect("deleted");
  });

  test("the menu", async ({ tasks, inspect }) => {
    await expect(await tasks.menu()).toBeVisible();

    await inspect("menu");
  });

  test("the keyboard shortcuts", async ({ page, inspect }) => {
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();

    await inspect("shortcuts");
  });
});

test("the account", async ({ page, account: _, inspect, browserErrors }) => {
  browserErrors.allowStatus(400);
  await setRandomAddress(page);
  await page.goto("/account");
  await inspect("account");

  await page.getByRole("button", { name: "Save name" }).click();
  await expect(new Screen(page).toast("Name changed.")).toBeVisible();
  await new Screen(page).toast("Name changed.").hover();
  await inspect("account-saved");

  await page.getByRole("button", { name: "Delete account…" }).click();
  const dialog = page.getByRole("dialog");
  await inspect("account-delete");
  await dialog.getByLabel("Confirm with your password").fill("not this one");
  await dialog.getByRole("button", { name: "Delete account and tasks" }).click();
  await expect(dialog.getByRole("alert").getByText("Invalid password.")).toBeVisible();
  await inspect("account-delete-error");
});
