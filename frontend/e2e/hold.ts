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

/** What the API answers when it is busy, to be given to `route.fulfill`. */
export const BUSY = { status: 503, contentType: "application/problem+json", body: "{}" };
