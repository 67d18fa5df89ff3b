import { test as base, expect, signUp } from "./fixtures";
import { Stack } from "./stack";

/** A stack of its own, because it is stopped and started again. */
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

test.beforeEach(({ complaints }) => complaints.allowUnreachable());

test("everything is stopped and started again: the page says so, keeps what was typed, and recovers", async ({
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
  await tasks.type("Written meanwhile");
  await tasks.quickAdd.press("Enter");
  await expect(page.getByRole("alert").getByText("this may have been added or not")).toBeVisible();
  await expect(tasks.quickAdd).toHaveValue("Written meanwhile");
  expect(await account.api.titles().catch(() => "unreachable")).toBe("unreachable");

  await stack.start();
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor).toBeHidden();
  await tasks.quickAdd.press("Enter");
  await expect(tasks.checkbox("Written meanwhile")).toBeEnabled();
  await tasks.checkbox("From before").click();
  await expect(tasks.checkbox("From before")).toBeChecked();
  await expect
    .poll(() => account.api.find())
    .toMatchObject([
      { title: "Written meanwhile" },
      { title: "To be edited", description: "Half a sentence" },
      { title: "From before", status: "completed" },
    ]);
});

test("a list that could not be loaded comes by itself when the service is back", async ({ page, tasks, stack }) => {
  test.setTimeout(120_000);
  await tasks.open();
  await tasks.add("From before");
  await stack.stop();

  await page.getByLabel("Order").selectOption("Oldest first");
  await expect(page.getByRole("alert").getByText("Your tasks could not be loaded")).toBeVisible();
  await expect(page.getByRole("alert").getByText("can’t be reached")).toBeVisible();
  await tasks.quickAdd.fill("Half a sen");

  await stack.start();
  await expect(tasks.checkbox("From before")).toBeVisible({ timeout: 30_000 });
  await expect(tasks.quickAdd).toHaveValue("Half a sen");
  await expect(page.getByRole("alert").getByText("could not be loaded")).toBeHidden();
});

test("what was added and completed arrives though the page is closed before an answer", async ({
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

test("what was completed and deleted is gone though the page is closed before an answer", async ({
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

test("signing in while the service is away says so, and works afterwards", async ({ page, request, stack }) => {
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
