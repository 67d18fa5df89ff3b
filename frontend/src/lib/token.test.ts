import { expect, test } from "vitest";

import { createTokens } from "@/lib/token";

let issued = 0;

function token(seconds: number): string {
  const payload = Buffer.from(JSON.stringify({ iat: 1000, exp: 1000 + seconds, n: ++issued })).toString("base64url");
  return `e30.${payload}.signature`;
}

function source(seconds = 900) {
  let now = 0;
  const calls: string[] = [];
  const issue = async () => {
    calls.push(token(seconds));
    return calls.at(-1) ?? "";
  };
  return { ...createTokens(issue, () => now), calls, advance: (seconds: number) => (now += seconds * 1000) };
}

test("a token is cached until a minute before it expires", async () => {
  const { get, calls, advance } = source(900);

  const first = await get();
  advance(839);
  const second = await get();
  advance(1);
  const third = await get();

  expect([first, second, third]).toEqual([calls[0], calls[0], calls[1]]);
});

test("concurrent calls share one request", async () => {
  const { get, calls } = source();

  await Promise.all([get(), get(), get()]);

  expect(calls).toHaveLength(1);
});

test("a token that several requests had refused is replaced once", async () => {
  const { get, replace, calls } = source();
  const refused = await get();

  const replaced = await Promise.all([replace(refused), replace(refused)]);
  const late = await replace(refused);

  expect(new Set([...replaced, late])).toEqual(new Set([calls[1]]));
  expect(calls).toHaveLength(2);
});

test("a failure is not cached", async () => {
  let failing = true;
  const { get } = createTokens(async () => {
    if (failing) throw new Error("not now");
    return token(900);
  });

  await expect(get()).rejects.toThrow("not now");
  failing = false;

  await expect(get()).resolves.toContain("e30.");
});

test("a token that lives less than a minute is used but not cached", async () => {
  const { get, calls } = source(30);

  await get();
  await get();

  expect(calls).toHaveLength(2);
});
