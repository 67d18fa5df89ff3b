import { randomUUID } from "node:crypto";

import type { Page } from "@playwright/test";

import { expect, PASSWORD, setRandomAddress, signIn, signUp, test } from "./fixtures";
import { Screen } from "./screen";

const NEW_PASSWORD = "a different password";

async function fillIn(page: Page, values: Record<string, string>) {
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label, { exact: true }).fill(value);
}

test("sign up, sign out, sign in", async ({ page, browserErrors }) => {
  browserErrors.allowStatus(401);
  await setRandomAddress(page);
  const email = `${randomUUID()}@example.com`;
  const tasks = new Screen(page);

  await page.goto("/");
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.getByRole("link", { name: "Create an account" }).click();
  await fillIn(page, { Name: "Grace Hopper", Email: email, Password: PASSWORD });
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { name: "Nothing to do yet" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Account menu: Grace Hopper" })).toBeVisible();

  await tasks.signOut();
  await page.goto("/");
  await expect(page).toHaveURL(/\/sign-in$/);

  await fillIn(page, { Email: email, Password: "not this one" });
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert").getByText("Invalid email or password.")).toBeVisible();
  await expect(page.getByLabel("Email")).toHaveValue(email);

  await fillIn(page, { Password: PASSWORD });
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/");
  await tasks.loaded();
});

test("an email address can have only one account", async ({ page, request, stack, browserErrors }) => {
  browserErrors.allowStatus(422);
  await setRandomAddress(page);
  const { email } = await signUp(request, stack);

  await page.goto("/sign-up");
  await fillIn(page, { Name: "Somebody Else", Email: email, Password: PASSWORD });
  await page.getByRole("button", { name: "Create account" }).click();

  await expect(page.getByRole("alert").getByText(/already exists/)).toBeVisible();
  await expect(page.getByLabel("Name")).toHaveValue("Somebody Else");
  await expect(page).toHaveURL(/\/sign-up$/);
});

test("the sign-up form explains each error", async ({ page, browserErrors }) => {
  browserErrors.allowStatus(400);
  await setRandomAddress(page);
  await page.goto("/sign-up");
  const good = { Name: "Ada", Email: `${randomUUID()}@example.com`, Password: PASSWORD };

  for (const [part, message] of [
    [{ Name: "  " }, "Enter a name."],
    [{ Email: "a@b" }, "Invalid email address."],
    [{ Password: "x".repeat(129) }, "Password too long."],
  ] as const) {
    await fillIn(page, { ...good, ...part });
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByRole("main").getByRole("alert")).toHaveText(message);
  }
});

test("the form says so if too many attempts are refused", async ({ page, browserErrors }) => {
  browserErrors.allowStatus(401, 429);
  await setRandomAddress(page);
  await page.goto("/sign-in");
  await fillIn(page, { Email: `${randomUUID()}@example.com`, Password: "a guess" });
  const statuses: number[] = [];

  for (let attempt = 0; attempt < 4; attempt++) {
    const response = page.waitForResponse(/\/sign-in\/email/);
    await page.getByRole("button", { name: "Sign in" }).click();
    statuses.push((await response).status());
  }

  expect(statuses).toEqual([401, 401, 401, 429]);
  await expect(page.getByRole("alert").getByText("Too many attempts.")).toBeVisible();
});

test("changing the name", async ({ page, tasks }) => {
  await tasks.open();
  await (await tasks.menu()).getByRole("menuitem", { name: "Account" }).click();
  await fillIn(page, { Name: "Countess of Lovelace" });

  await page.getByRole("button", { name: "Save name" }).click();

  await expect(tasks.toast("Name changed.")).toBeVisible();
  await page.getByRole("link", { name: "Back to your tasks" }).click();
  await expect(page.getByRole("button", { name: "Account menu: Countess of Lovelace" })).toBeVisible();
});

test("changing the password signs out other devices", async ({ page, account, stack, open, browserErrors }) => {
  browserErrors.allowStatus(400, 401);
  await setRandomAddress(page);
  const elsewhere = await open();
  expect((await signIn(elsewhere.request, stack, account.email)).status()).toBe(200);
  await page.goto("/account");

  await fillIn(page, { "Current password": "not this one", "New password": NEW_PASSWORD });
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("alert").getByText("Invalid password.")).toBeVisible();

  await fillIn(page, { "Current password": PASSWORD });
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(new Screen(page).toast("Password changed.")).toBeVisible();
  await expect(page.getByLabel("Current password")).toHaveValue("");

  const otherPage = await elsewhere.newPage();
  await otherPage.goto("/");
  await expect(otherPage).toHaveURL(/\/sign-in$/);
  expect((await signIn(elsewhere.request, stack, account.email)).status()).toBe(401);
  expect((await signIn(elsewhere.request, stack, account.email, NEW_PASSWORD)).status()).toBe(200);
  await new Screen(page).open(); // this one is still signed in
});

test("deleting the account deletes all its tasks", async ({ page, account, tasks, stack, browserErrors }) => {
  await tasks.open();
  browserErrors.allowStatus(400);
  await setRandomAddress(page);
  await account.api.create({ title: "Burn after reading" });
  await (await tasks.menu()).getByRole("menuitem", { name: "Account" }).click();

  await page.getByRole("button", { name: "Delete account…" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete your account?" });
  await dialog.getByLabel("Confirm with your password").fill("not this one");
  await dialog.getByRole("button", { name: "Delete account and tasks" }).click();
  await expect(dialog.getByRole("alert").getByText("Invalid password.")).toBeVisible();
  await dialog.getByLabel("Confirm with your password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Delete account and tasks" }).click();

  await expect(page.getByRole("status").getByText("Your account and your tasks have been deleted.")).toBeVisible();
  // The token stays valid for some minutes, but its user and tasks are gone.
  expect(await account.api.find()).toEqual([]);
  const body = JSON.stringify({ title: "A ghost’s task" });
  expect((await account.api.request("me/tasks", { method: "POST", body })).status).toBe(401);
  expect((await signIn(page.request, stack, account.email)).status()).toBe(401);

  await page.getByRole("link", { name: "Create an account" }).click();
  await fillIn(page, { Name: account.name, Email: account.email, Password: PASSWORD });
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { name: "Nothing to do yet" })).toBeVisible();
});
