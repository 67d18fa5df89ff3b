import { expect, randomAddress, test } from "./fixtures";

const MISSING = ["/not-there", "/not.there", "/api/not-there", "/_next/not-there", "/icon.svg/not-there"];

for (const path of ["/sign-in", "/sign-up", "/", "/account", ...MISSING]) {
  test(`headers of ${path}`, async ({ page, account: _, context, browserErrors, stack }) => {
    browserErrors.allowStatus(404);
    if (path.startsWith("/sign")) await context.clearCookies();

    const response = await page.goto(path);

    const headers = response?.headers() ?? {};
    const policy = headers["content-security-policy"];
    expect(policy).toMatch(/script-src 'self' 'nonce-[^']{20,}' 'strict-dynamic'(?:;|$)/);
    expect(policy).toContain(`connect-src 'self' ${stack.api};`);
    for (const part of ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
      expect(policy).toContain(part);
    }
    expect(policy).not.toContain("unsafe-eval");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("same-origin");
    expect(headers["cache-control"]).toContain("no-store");
    expect(headers).not.toHaveProperty("x-powered-by");
  });
}

test("the policy blocks an injected script", async ({ page, tasks, browserErrors }) => {
  browserErrors.allow(/Content Security Policy/);
  await tasks.open();

  await page.evaluate(() => {
    const image = document.createElement("div");
    image.innerHTML = '<img src="data:," onerror="window.broken = true">';
    document.body.append(image);
  });
  const blocked = await page.evaluate(() =>
    fetch("https://example.com/").then(
      () => false,
      () => true,
    ),
  );

  expect(blocked).toBe(true);
  expect(await page.evaluate(() => "broken" in window)).toBe(false);
});

const HTML = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>&amp; {{7*7}}';

test("HTML in a task is shown as text", async ({ page, tasks, account }) => {
  await account.api.create({ title: HTML, description: HTML });
  await tasks.open();

  await tasks.expectTitles([HTML]);
  const editor = await tasks.edit(HTML);
  await expect(editor.getByLabel("Description")).toHaveValue(HTML);
  await editor.getByRole("button", { name: "Cancel" }).click();
  await tasks.delete(HTML);
  await expect(tasks.toast(HTML.slice(0, 70))).toBeVisible();

  expect(await page.evaluate(() => "broken" in window)).toBe(false);
});

test("HTML in an address is shown as text", async ({ page, tasks }) => {
  await tasks.open(`?${new URLSearchParams({ search: HTML, category: "<b onclick=broken>" })}`);

  await expect(tasks.search).toHaveValue(HTML);
  await expect(page.getByRole("heading", { name: "No task matches" })).toBeVisible();
  expect(await page.evaluate(() => "broken" in window)).toBe(false);
});

test("a link to the sign-in page can neither change its text nor redirect elsewhere", async ({ page }) => {
  await page.goto("/sign-in?reason=__proto__&callbackURL=https://example.com&error=Call+this+number");

  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await expect(page.getByText("Call this number")).toHaveCount(0);
  await expect(page.getByRole("status")).toHaveCount(0);
});

test("the server enforces the limits of the sign-up form", async ({ request, stack }) => {
  const signUp = (member: Record<string, string>) =>
    request.post(`${stack.web}/api/auth/sign-up/email`, {
      headers: { Origin: stack.web, "X-Forwarded-For": randomAddress() },
      data: { name: "Ada", email: `${crypto.randomUUID()}@example.com`, password: "password123", ...member },
    });

  expect((await signUp({ name: "a".repeat(101) })).status()).toBe(400);
  expect((await signUp({ image: "data:image/png;base64,AAAA" })).status()).toBe(400);
  expect((await signUp({ name: "A\0da" })).status()).toBe(400);
  for (const name of ["", "  "]) expect((await signUp({ name })).status()).toBe(400);
  expect((await signUp({ name: "a".repeat(16 * 1024) })).status()).toBe(413);
  expect((await signUp({ name: "a".repeat(100) })).status()).toBe(200);
});
