import { expect, test } from "vitest";

import { tokens } from "@/lib/token";

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
  return { ...tokens(issue, () => now), calls, pass: (seconds: number) => (now += seconds * 1000) };
}

test("a token is kept until a minute before it expires", async () => {
  const { get, calls, pass } = source(900);

  const first = await get();
  pass(839);
  const second = await get();
  pass(1);
  const third = await get();

  expect([first, second, third]).toEqual([calls[0], calls[0], calls[1]]);
});

test("calls at the same time share one request", async () => {
  const { get, calls } = source();

  await Promise.all([get(), get(), get()]);

  expect(calls).toHaveLength(1);
});

test("a refused token is replaced once, however many requests it was refused to", async () => {
  const { get, replace, calls } = source();
  const refused = await get();

  const replaced = await Promise.all([replace(refused), replace(refused)]);
  const late = await replace(refused);

  expect(new Set([...replaced, late])).toEqual(new Set([calls[1]]));
  expect(calls).toHaveLength(2);
});

test("a failure is not kept", async () => {
  let failing = true;
  const { get } = tokens(async () => {
    if (failing) throw new Error("not now");
    return token(900);
  });

  await expect(get()).rejects.toThrow("not now");
  failing = false;

  await expect(get()).resolves.toContain("e30.");
});

test("a token that lives less than a minute is used, and not kept", async () => {
  const { get, calls } = source(30);

  await get();
  await get();

  expect(calls).toHaveLength(2);
});
