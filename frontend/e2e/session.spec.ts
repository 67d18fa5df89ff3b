import { join } from "node:path";

import { Client } from "pg";

import { expect, issueToken, PASSWORD, signUp, test } from "./fixtures";
import { Screen } from "./screen";

test("a second user sees nothing of the first user", async ({ tasks, account, open, stack }) => {
  const secret = await account.api.create({ title: "A secret", category: "private" });
  await tasks.open();
  await tasks.expectTitles(["A secret"]);

  const other = await open();
  const stranger = await signUp(other.request, stack, "Eve");
  const page = await other.newPage();
  const screen = await new Screen(page).open();
  await expect(page.getByRole("heading", { name: "Nothing to do yet" })).toBeVisible();
  await expect(page.getByRole("figure", { name: "Statistics" })).toBeHidden();
  await screen.open("?search=secret");
  await expect(page.getByRole("heading", { name: "No task matches" })).toBeVisible();
  await screen.open();
  await screen.add("My own");

  expect((await stranger.api.request(`${account.id}/tasks`)).status).toBe(403);
  expect((await stranger.api.request(`me/tasks/${secret.id}`)).status).toBe(404);
  await tasks.open();
  await tasks.expectTitles(["A secret"]);
});

test("signing out in one tab signs out the other", async ({ page, tasks, account, context }) => {
  await account.api.create({ title: "A secret" });
  await tasks.open();
  const second = await new Screen(await context.newPage()).open();

  await second.signOut();

  await expect(page).toHaveURL(/\/sign-in\?reason=signed-out$/);
  await expect(page.getByRole("status").getByText("You have been signed out.")).toBeVisible();
});

test("two users in two tabs stay separate", async ({ page, tasks, account, context, stack }) => {
  await account.api.create({ title: "A secret" });
  await tasks.open();
  const second = await new Screen(await context.newPage()).open();
  await second.signOut();

  const other = await signUp(context.request, stack, "Eve");
  await second.open();
  await second.add("Eve’s own");

  await page.bringToFront();
  await page.goto("/");
  await tasks.expectTitles(["Eve’s own"]);
  await expect.poll(() => account.api.titles()).toEqual(["A secret"]);
  await expect.poll(() => other.api.titles()).toEqual(["Eve’s own"]);
});

test("the account page of one user cannot change another user", async ({ page, account, context, stack }) => {
  await page.goto("/account");
  await expect(page.getByText(`You sign in as ${account.email}.`)).toBeVisible();
  await expect(page.getByRole("button", { name: "Save name" })).toBeEnabled();
  await page.getByLabel("Name").fill("Countess of Lovelace");

  const other = await signUp(context.request, stack, "Eve");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))); // as if the window got the focus

  await expect(page.getByText(`You sign in as ${other.email}.`)).toBeVisible();
  await expect(page.getByLabel("Name")).toHaveValue("Eve");
});

test("a page whose session ended elsewhere goes to the sign-in page", async ({
  page,
  account,
  context,
  playwright,
  stack,
  browserErrors,
}) => {
  browserErrors.allowStatus(401);
  await page.clock.install();
  await account.api.create({ title: "A secret" });
  await new Screen(page).open();
  // The same cookies in another client.
  const elsewhere = await playwright.request.newContext({ storageState: await context.storageState() });
  const ended = await elsewhere.post(`${stack.web}/api/auth/sign-out`, {
    headers: { origin: stack.web },
    data: {},
  });
  expect(ended.status(), await ended.text()).toBe(200);
  await elsewhere.dispose();

  // The page's token stays valid until it expires. Then the next refresh of the statistics finds out.
  await page.clock.fastForward("30:00");

  await expect(page).toHaveURL(/\/sign-in\?reason=signed-out$/);
  await expect(page.getByRole("status").getByText("You have been signed out.")).toBeVisible();
});

test("using a session extends it, in the browser too", async ({ page, account, context, stack }) => {
  const inDays = (days: number) => Date.now() / 1000 + days * 86_400;
  // As after two of its seven days.
  const database = new Client({ host: join(stack.data, "socket"), user: "postgres", database: "tasks" });
  await database.connect();
  await database.query(`UPDATE session SET "expiresAt" = to_timestamp($1) WHERE "userId" = $2`, [
    inDays(5),
    account.id,
  ]);
  await database.end();
  await context.addCookies((await context.cookies()).map((cookie) => ({ ...cookie, expires: inDays(5) })));

  await new Screen(page).open();

  await expect.poll(async () => (await context.cookies()).every(({ expires }) => expires > inDays(6.9))).toBe(true);
});

test("tokens are not cached", async ({ context, account: _, stack }) => {
  const response = await context.request.get(`${stack.web}/api/auth/token`);

  expect(response.status()).toBe(200);
  expect(response.headers()["cache-control"]).toBe("no-store");
});

test("a token is renewed before it expires", async ({ page, account }) => {
  await page.clock.install();
  await account.api.create({ title: "A secret" });
  const tasks = await new Screen(page).open();
  const sent = new Set<string | undefined>();
  page.on("request", async (request) => {
    if (request.url().includes("/tasks?")) sent.add((await request.allHeaders()).authorization);
  });
  await tasks.search.fill("nothing");
  await expect(page.getByRole("heading", { name: "No task matches" })).toBeVisible();

  const renewal = page.waitForResponse("**/api/auth/token");
  await page.clock.fastForward("14:30"); // of its fifteen minutes
  await tasks.search.fill("secret");

  expect((await renewal).status()).toBe(200);
  await tasks.expectTitles(["A secret"]);
});

test("a refused token is replaced once, without the user noticing", async ({
  page,
  account,
  context,
  stack,
  browserErrors,
}) => {
  browserErrors.allowStatus(401);
  await account.api.create({ title: "Here" });
  const good = await issueToken(context.request, stack);
  const end = good.at(-10) === "A" ? "B" : "A";
  const bad = good.slice(0, -10) + end + good.slice(-9); // an invalid signature
  // Not `times: 1`: while Playwright removes a route, it can miss responses.
  let issued = 0;
  await page.route("**/api/auth/token", (route) =>
    issued++ ? route.continue() : route.fulfill({ json: { token: bad } }),
  );
  const refused = page.waitForResponse((response) => response.url().startsWith(stack.api) && response.status() === 401);

  const tasks = await new Screen(page).open();

  await refused;
  await tasks.expectTitles(["Here"]);
  await tasks.add("And one more");
  await expect.poll(() => account.api.titles()).toEqual(["And one more", "Here"]);
});

test("many users behind one address all get their tokens", async ({ context, stack, account: _ }) => {
  const statuses = await Promise.all(
    Array.from({ length: 105 }, () =>
      context.request.get(`${stack.web}/api/auth/token`).then((response) => response.status()),
    ),
  );

  expect(new Set(statuses)).toEqual(new Set([200]));
});

test("no page is readable without a session", async ({ page, playwright, stack }) => {
  for (const path of ["/", "/account"]) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/sign-in$/);
  }
  const anonymous = await playwright.request.newContext();
  expect((await anonymous.get(`${stack.web}/api/auth/token`)).status()).toBe(401);
  expect((await anonymous.get(`${stack.api}/api/me/tasks`)).status()).toBe(401);
  await anonymous.dispose();
});

test("signed-in users skip the sign-in and sign-up pages", async ({ page, account: _ }) => {
  for (const path of ["/sign-in", "/sign-up"]) {
    await page.goto(path);
    await expect(page).toHaveURL("/");
  }
});

test("after signing out the back button shows no tasks", async ({ page, tasks, account }) => {
  await account.api.create({ title: "A secret" });
  await tasks.open();
  await tasks.expectTitles(["A secret"]);
  await tasks.signOut();

  await page.goBack();

  await expect(page).toHaveURL(/\/sign-in/);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await expect(page.getByText("A secret")).toHaveCount(0);
});

test("a script can find neither token nor password", async ({ page, tasks, context, account }) => {
  await tasks.open();
  await tasks.add("Here");

  const readable = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, window.location.href]),
  );
  expect(readable).not.toMatch(/eyJ|session_token/);
  expect(readable).not.toContain(PASSWORD);
  expect(readable).not.toContain(account.api.token);
  const cookies = await context.cookies();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax" });
});
