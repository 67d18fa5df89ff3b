import { randomInt, randomUUID } from "node:crypto";

import { type APIRequestContext, type BrowserContext, test as base, expect, type Page } from "@playwright/test";

import { Api } from "./api";
import { Screen } from "./screen";
import type { Addresses } from "./stack";

export { expect } from "@playwright/test";

export const PASSWORD = "correct horse battery";

export type Account = { id: string; name: string; email: string; api: Api };

type ContextOptions = Parameters<import("@playwright/test").Browser["newContext"]>[0];

type Fixtures = {
  browserErrors: BrowserErrors;
  /** Opens another browser context, with other settings if needed. Its errors count too. */
  open: (options?: ContextOptions) => Promise<BrowserContext>;
  /** A new user, signed in to `page`. */
  account: Account;
  /** The task page of a new user. Open it in `page` with `tasks.open()`. */
  tasks: Screen;
};

export const test = base.extend<Fixtures, { stack: Addresses }>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from the pattern
    async ({}, use) => use(JSON.parse(process.env.E2E_STACK ?? "{}")),
    { scope: "worker" },
  ],

  baseURL: ({ stack }, use) => use(stack.web),

  browserErrors: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => {
      const browserErrors = new BrowserErrors();
      await use(browserErrors);
      expect(browserErrors.unexpected(), "Nothing was logged to the console.").toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, browserErrors }, use) => {
    browserErrors.watch(context);
    await use(context);
  },

  open: async ({ browser, contextOptions, baseURL, browserErrors }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext({ ...contextOptions, ...(baseURL && { baseURL }), ...options });
      contexts.push(context);
      browserErrors.watch(context);
      return context;
    });
    for (const context of contexts) await context.close();
  },

  account: async ({ context, stack }, use) => use(await signUp(context.request, stack)),

  tasks: ({ page, account: _ }, use) => use(new Screen(page)),
});

/** Collects console messages and uncaught exceptions. */
class BrowserErrors {
  #all: string[] = [];
  #allowed: RegExp[] = [];

  watch(context: BrowserContext) {
    context.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      this.#all.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.#all.push(`thrown: ${error.error().stack ?? error.error()}`));
  }

  /** Allows what a test provokes: the browser logs each failed request. */
  allow(...patterns: RegExp[]) {
    this.#allowed.push(...patterns);
  }

  allowStatus(...statuses: number[]) {
    for (const status of statuses) this.allow(new RegExp(`responded with a status of ${status}`));
  }

  /** Allows what Chromium logs for a request without a response. */
  allowUnreachable() {
    this.allow(/net::ERR_(?:CONNECTION_|INTERNET_DISCONNECTED|EMPTY_RESPONSE|FAILED)/);
  }

  unexpected(): string[] {
    return this.#all.filter((error) => !this.#allowed.some((pattern) => pattern.test(error)));
  }
}

export async function signUp(request: APIRequestContext, stack: Addresses, name = "Ada Lovelace"): Promise<Account> {
  const email = `${randomUUID()}@example.com`;
  const response = await request.post(`${stack.web}/api/auth/sign-up/email`, {
    headers: { origin: stack.web, "x-forwarded-for": randomAddress() },
    data: { name, email, password: PASSWORD },
  });
  expect(response.status(), await response.text()).toBe(200);
  const { user } = await response.json();
  return { id: user.id, name, email, api: new Api(stack.api, await issueToken(request, stack)) };
}

export async function signIn(request: APIRequestContext, stack: Addresses, email: string, password = PASSWORD) {
  return request.post(`${stack.web}/api/auth/sign-in/email`, {
    headers: { origin: stack.web, "x-forwarded-for": randomAddress() },
    data: { email, password },
  });
}

export async function issueToken(request: APIRequestContext, { web }: Addresses): Promise<string> {
  const response = await request.get(`${web}/api/auth/token`, { headers: { "x-forwarded-for": randomAddress() } });
  return (await response.json()).token;
}

/** Rate limits count sign-ins and sign-ups per address, and all tests would share one. */
export function randomAddress(): string {
  return `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

/** Sends the requests of this page's forms from a random address. Nothing else about them changes. */
export async function setRandomAddress(page: Page) {
  const address = randomAddress();
  await page.route("**/api/auth/**", async (route) => {
    await route.continue({ headers: { ...(await route.request().allHeaders()), "x-forwarded-for": address } });
  });
}
