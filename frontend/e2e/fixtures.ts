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
  complaints: Complaints;
  /** Another browser, or one with other settings. It is watched like the first. */
  open: (options?: ContextOptions) => Promise<BrowserContext>;
  /** A new user, who is signed in in `page`. */
  account: Account;
  /** The task page of a new user, to be opened in `page`. */
  tasks: Screen;
};

export const test = base.extend<Fixtures, { stack: Addresses }>({
  stack: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from the pattern
    async ({}, use) => use(JSON.parse(process.env.E2E_STACK ?? "{}")),
    { scope: "worker" },
  ],

  baseURL: ({ stack }, use) => use(stack.web),

  complaints: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => {
      const complaints = new Complaints();
      await use(complaints);
      expect(complaints.unexpected(), "The console stays empty.").toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, complaints }, use) => {
    complaints.watch(context);
    await use(context);
  },

  open: async ({ browser, contextOptions, baseURL, complaints }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext({ ...contextOptions, ...(baseURL && { baseURL }), ...options });
      contexts.push(context);
      complaints.watch(context);
      return context;
    });
    for (const context of contexts) await context.close();
  },

  account: async ({ context, stack }, use) => use(await signUp(context.request, stack)),

  tasks: ({ page, account: _ }, use) => use(new Screen(page)),
});

/** Collects what browsers write into their consoles and what is thrown in them and not caught. */
class Complaints {
  #all: string[] = [];
  #allowed: RegExp[] = [];

  watch(context: BrowserContext) {
    context.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      this.#all.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.#all.push(`thrown: ${error.error().stack ?? error.error()}`));
  }

  /** For what a test provokes: the browser itself reports each request that fails. */
  allow(...patterns: RegExp[]) {
    this.#allowed.push(...patterns);
  }

  allowStatus(...statuses: number[]) {
    for (const status of statuses) this.allow(new RegExp(`responded with a status of ${status}`));
  }

  /** What Chromium says of a request that reached nobody. */
  allowUnreachable() {
    this.allow(/net::ERR_(?:CONNECTION_|INTERNET_DISCONNECTED|EMPTY_RESPONSE|FAILED)/);
  }

  unexpected(): string[] {
    return this.#all.filter((complaint) => !this.#allowed.some((pattern) => pattern.test(complaint)));
  }
}

export async function signUp(request: APIRequestContext, stack: Addresses, name = "Ada Lovelace"): Promise<Account> {
  const email = `${randomUUID()}@example.com`;
  const answer = await request.post(`${stack.web}/api/auth/sign-up/email`, {
    headers: { origin: stack.web, "x-forwarded-for": anAddress() },
    data: { name, email, password: PASSWORD },
  });
  expect(answer.status(), await answer.text()).toBe(200);
  const { user } = await answer.json();
  return { id: user.id, name, email, api: new Api(stack.api, await issueToken(request, stack)) };
}

export async function signIn(request: APIRequestContext, stack: Addresses, email: string, password = PASSWORD) {
  return request.post(`${stack.web}/api/auth/sign-in/email`, {
    headers: { origin: stack.web, "x-forwarded-for": anAddress() },
    data: { email, password },
  });
}

export async function issueToken(request: APIRequestContext, { web }: Addresses): Promise<string> {
  const answer = await request.get(`${web}/api/auth/token`, { headers: { "x-forwarded-for": anAddress() } });
  return (await answer.json()).token;
}

/** Attempts to sign in and up are limited for each address, and all tests come from one. */
export function anAddress(): string {
  return `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

/** Gives the forms of this page an address of their own. The requests are real in all else. */
export async function fromOwnAddress(page: Page) {
  const address = anAddress();
  await page.route("**/api/auth/**", async (route) => {
    await route.continue({ headers: { ...(await route.request().allHeaders()), "x-forwarded-for": address } });
  });
}
