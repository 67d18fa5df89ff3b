import { expect, type Page, type Route } from "@playwright/test";

/** Holds the requests of one method to the API. Each call of the result returns the next one, to be released. */
export async function holdRequests(page: Page, method: string, path = /\/api\/[^/]+\/tasks(?:\/[^?]+)?$/) {
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

/** Lets writes reach the API, and holds their responses until the result is called. */
export async function holdResponses(page: Page, path: RegExp) {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(path, async (route) => {
    if (route.request().method() === "GET") return route.fallback();
    const response = await route.fetch();
    await released;
    await route.fulfill({ response });
  });
  return async () => {
    const received = page.waitForResponse(
      (response) => path.test(response.url()) && response.request().method() !== "GET",
    );
    release();
    await received;
  };
}

/** The response of an API that will not add another task, for `route.fulfill`. */
export const FULL = {
  status: 409,
  contentType: "application/problem+json",
  body: JSON.stringify({ code: "too-many-tasks", detail: "The account is full." }),
};

/** The response of a busy API, for `route.fulfill`. */
export const BUSY = { status: 503, contentType: "application/problem+json", body: "{}" };
