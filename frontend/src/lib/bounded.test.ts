import { expect, test } from "vitest";

import { bounded, MAX_BODY } from "@/lib/bounded";

const URL = "http://localhost:3000/api/auth/sign-up/email";
const post = (body: BodyInit) => bounded(new Request(URL, { method: "POST", body, duplex: "half" } as RequestInit));

test("a body up to the bound goes on as it came", async () => {
  const body = "ä".repeat(MAX_BODY / 2);

  const accepted = await post(body);

  expect(accepted).toBeInstanceOf(Request);
  expect(await accepted.text()).toBe(body);
  expect(accepted).toMatchObject({ url: URL, method: "POST" });
});

test("one byte more is refused, whether or not its length was told", async () => {
  const body = "x".repeat(MAX_BODY + 1);

  const refusals = [await post(body), await post(new Blob([body]).stream())];

  for (const refusal of refusals) {
    expect(refusal).toMatchObject({ status: 413 });
    expect(await refusal.json()).toEqual({ message: "The request body is larger than 16 KiB." });
  }
});

test.each(["a\0b", '{"name":"a\\u0000b"}'])("the NUL character is refused: %j", async (body) => {
  expect(await post(body)).toMatchObject({ status: 400 });
});

test("what has no body goes on", async () => {
  const request = new Request(URL);

  expect(await bounded(request)).toBe(request);
});
