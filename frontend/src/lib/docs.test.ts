import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

const text = readFileSync(new URL("../../../docs/frontend.md", import.meta.url), "utf8");
const quotes = [...text.matchAll(/From `frontend\/(?<file>[^`]+)`:\n\n *```ts\n(?<code>.*?)```/gs)].map(
  ({ groups }) => ({
    file: groups?.file ?? "",
    code: groups?.code ?? "",
  }),
);

const lines = (code: string) => code.split("\n").map((line) => line.trim());

test("docs/frontend.md quotes code", () => {
  expect(quotes.length).toBe(text.match(/^ *```ts$/gm)?.length);
});

test.each(quotes)("docs/frontend.md quotes $file literally", ({ file, code }) => {
  const source = lines(readFileSync(new URL(`../../${file}`, import.meta.url), "utf8")).join("\n");
  // An ellipsis comment stands for omitted lines.
  for (const passage of code.split(/^\s*\/\/ …\n/m)) {
    expect(source).toContain(lines(passage).join("\n").trim());
  }
});
