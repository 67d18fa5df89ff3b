import { expect, type Page, type Route } from "@playwright/test";

/** Keeps the requests of one method to the API until they are let go, one by one in their order. */
export async function hold(page: Page, method: string, path = /\/api\/[^/]+\/tasks(?:\/[^?]+)?$/) {
  const held: Route[] = [];
  await page.route(path, async (route) => {
    if (route.request().method() === method) held.push(route);
    else await route.fallback();
  });
  return async () => {
    await expect.poll(() => held.length).toBeGreaterThan(0);
    return held.shift() as Route;
  };
}

/** Lets the API do what is written there, and keeps its answers until they are let go. */
export async function late(page: Page, path: RegExp) {
  let go = () => {};
  const promise = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route(path, async (route) => {
    if (route.request().method() === "GET") return route.fallback();
    const response = await route.fetch();
    await promise;
    await route.fulfill({ response });
  });
  return async () => {
    const answer = page.waitForResponse(
      (response) => path.test(response.url()) && response.request().method() !== "GET",
    );
    go();
    await answer;
  };
}

/** What the API answers when it is busy, to be given to `route.fulfill`. */
export const BUSY = { status: 503, contentType: "application/problem+json", body: "{}" };
