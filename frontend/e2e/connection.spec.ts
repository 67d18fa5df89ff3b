import { test as base, expect, signUp } from "./fixtures";
import { Stack } from "./stack";

/** These tests stop and start their stack, so they have their own. */
const test = base.extend<object, { stack: Stack }>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from the pattern
    async ({}, use) => {
      const stack = await Stack.create();
      await use(stack);
      await stack.remove();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

test.describe.configure({ mode: "serial" });

test.beforeEach(({ browserErrors }) => browserErrors.allowUnreachable());

test("after a restart of everything the page has shown the outage, kept what was typed, and recovers", async ({
  page,
  tasks,
  stack,
  account,
}) => {
  test.setTimeout(120_000);
  await tasks.open();
  await tasks.add("From before");
  await tasks.add("To be edited");
  const editor = await tasks.edit("To be edited");
  await editor.getByLabel("Description").fill("Half a sentence");

  await stack.stop();
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor.getByRole("alert")).toContainText("can’t be reached");
  await expect(editor.getByLabel("Description")).toHaveValue("Half a sentence");
  await tasks.checkbox("From before").click();
  await expect(tasks.toast("can’t be reached")).toBeVisible();
  await expect(tasks.checkbox("From before")).not.toBeChecked();
  await tasks.type("Written offline");
  await tasks.quickAdd.press("Enter");
  await expect(page.getByRole("alert").getByText("this task won’t be added twice")).toBeVisible();
  await expect(tasks.quickAdd).toHaveValue("Written offline");
  expect(await account.api.titles().catch(() => "unreachable")).toBe("unreachable");

  await stack.start();
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor).toBeHidden();
  await tasks.quickAdd.press("Enter");
  await expect(tasks.checkbox("Written offline")).toBeEnabled();
  await tasks.checkbox("From before").click();
  await expect(tasks.checkbox("From before")).toBeChecked();
  await expect
    .poll(() => account.api.find())
    .toMatchObject([
      { title: "Written offline" },
      { title: "To be edited", description: "Half a sentence" },
      { title: "From before", status: "completed" },
    ]);
});

test("a list that failed to load appears when the service is back", async ({ page, tasks, stack }) => {
  test.setTimeout(120_000);
  await tasks.open();
  await tasks.add("From before");
  await stack.stop();

  await page.getByLabel("Order").selectOption("Oldest first");
  await expect(page.getByRole("alert").getByText("Couldn’t load your tasks")).toBeVisible();
  await expect(page.getByRole("alert").getByText("can’t be reached")).toBeVisible();
  await tasks.quickAdd.fill("Half a sen");

  await stack.start();
  await expect(tasks.checkbox("From before")).toBeVisible({ timeout: 30_000 });
  await expect(tasks.quickAdd).toHaveValue("Half a sen");
  await expect(page.getByRole("alert").getByText("Couldn’t load your tasks")).toBeHidden();
});

test("additions and completions are sent even if the page closes before a response", async ({
  page,
  tasks,
  stack,
  account,
}) => {
  await account.api.create({ title: "Old" });
  await tasks.open();
  await tasks.type("New");

  stack.freeze();
  await tasks.quickAdd.press("Enter");
  await tasks.checkbox("Old").click();
  await expect(tasks.checkbox("Old")).toBeChecked();
  await page.close();
  stack.thaw();

  await expect.poll(() => account.api.find()).toMatchObject([{ title: "New" }, { title: "Old", status: "completed" }]);
});

test("a completed and deleted task is deleted even if the page closes before a response", async ({
  page,
  tasks,
  stack,
  account,
}) => {
  await account.api.createAll([{ title: "Done with" }, { title: "Not yet" }]);
  await tasks.open();

  stack.freeze();
  await tasks.checkbox("Done with").click();
  await tasks.delete("Done with");
  await page.close();
  stack.thaw();

  await expect.poll(() => account.api.titles()).toEqual(["Not yet"]);
});

test("signing in during an outage shows an error, and works afterwards", async ({ page, request, stack }) => {
  test.setTimeout(120_000);
  const { email } = await signUp(request, stack);
  await page.goto("/sign-in");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill("correct horse battery");
  await stack.stop();

  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert").getByText("can’t be reached")).toBeVisible();

  await stack.start();
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Nothing to do yet" })).toBeVisible();
});
