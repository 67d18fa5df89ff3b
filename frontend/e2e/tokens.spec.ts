import { randomUUID } from "node:crypto";

import type { Page } from "@playwright/test";

import { expect, issueToken, PASSWORD, setRandomAddress, test } from "./fixtures";
import { Screen } from "./screen";
import { type Addresses, Stack } from "./stack";

/** The other signing mode, which is a setting of the stack. */
const testEdDSA = test.extend<object, { stack: Addresses }>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from the pattern
    async ({}, use) => {
      const stack = await Stack.create({ AUTH_SOURCES: "jwks" });
      await use(stack);
      await stack.remove();
    },
    { scope: "worker", timeout: 120_000 },
  ],
});

test("with HS256: sign up, add, toggle, reload, sign out", async ({ page, stack }) => {
  expect(await mainPath(page, stack)).toBe("HS256");
});

testEdDSA("with EdDSA: sign up, add, toggle, reload, sign out", async ({ page, stack }) => {
  expect(await mainPath(page, stack)).toBe("EdDSA");
});

/** Returns the algorithm of the tokens. */
async function mainPath(page: Page, stack: Addresses): Promise<string> {
  const tasks = new Screen(page);

  await setRandomAddress(page);
  await page.goto("/sign-up");
  await page.getByLabel("Name").fill("Grace Hopper");
  await page.getByLabel("Email").fill(`${randomUUID()}@example.com`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { name: "Nothing to do yet" })).toBeVisible();

  await tasks.add("Find the moth");
  const saved = page.waitForResponse((response) => response.request().method() === "PATCH");
  await tasks.checkbox("Find the moth").click();
  await expect(tasks.checkbox("Find the moth")).toBeChecked();
  await saved;
  await page.reload();
  await expect(tasks.checkbox("Find the moth")).toBeChecked();

  const [header = ""] = (await issueToken(page.request, stack)).split(".");
  await tasks.signOut();
  return JSON.parse(Buffer.from(header, "base64url").toString()).alg;
}
