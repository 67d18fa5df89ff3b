import { readFileSync } from "node:fs";

import { NextRequest } from "next/server";
import { afterEach, expect, test, vi } from "vitest";

import { proxy } from "@/proxy";

afterEach(() => vi.unstubAllEnvs());

test.each(["https://one.example.com", "https://two.example.com"])("calls may go to the API at %s", (url) => {
  vi.stubEnv("NEXT_PUBLIC_BACKEND_URL", `${url}/path/`);

  const policy = proxy(new NextRequest("http://localhost:3000/")).headers.get("Content-Security-Policy");

  expect(policy).toContain(`; connect-src 'self' ${url};`);
});

/** A build replaces each `process.env.NEXT_PUBLIC_…` with the value at build time, not with the server's. */
test("the proxy reads no variable that a build would replace", () => {
  const source = readFileSync(new URL("./proxy.ts", import.meta.url), "utf8");

  expect(source).not.toContain("process.env.NEXT_PUBLIC_");
});
