import { expect, test } from "vitest";

import { checkBody, MAX_BODY } from "@/lib/request-body";

const URL = "http://localhost:3000/api/auth/sign-up/email";
const post = (body: BodyInit) => checkBody(new Request(URL, { method: "POST", body, duplex: "half" } as RequestInit));

test("a body of the maximum length passes unchanged", async () => {
  const body = "ä".repeat(MAX_BODY / 2);

  const accepted = await post(body);

  expect(accepted).toBeInstanceOf(Request);
  expect(await accepted.text()).toBe(body);
  expect(accepted).toMatchObject({ url: URL, method: "POST" });
});

test("a body one byte longer is refused, with or without a Content-Length", async () => {
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

test("a request without a body passes", async () => {
  const request = new Request(URL);

  expect(await checkBody(request)).toBe(request);
});
