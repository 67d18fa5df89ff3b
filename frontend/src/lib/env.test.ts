import { expect, test } from "vitest";

import { readEnv } from "@/lib/env";

const ENV = { DATABASE_URL: "postgresql://owner@localhost/app", BETTER_AUTH_SECRET: "x".repeat(32) };

test("settings with a default may be left out", () => {
  expect(readEnv(ENV)).toEqual({
    databaseUrl: ENV.DATABASE_URL,
    secret: ENV.BETTER_AUTH_SECRET,
    appUrl: "http://localhost:3000",
    backendUrl: "http://127.0.0.1:8000",
    algorithm: "HS256",
  });
});

test("an address loses its trailing slash", () => {
  expect(readEnv({ ...ENV, NEXT_PUBLIC_BACKEND_URL: "https://api.example.com/" }).backendUrl).toBe(
    "https://api.example.com",
  );
});

test.each([
  ["DATABASE_URL", "", "DATABASE_URL is not set"],
  ["BETTER_AUTH_SECRET", "", "BETTER_AUTH_SECRET is not set"],
  ["BETTER_AUTH_SECRET", "x".repeat(31), "BETTER_AUTH_SECRET must have at least 32 characters"],
  ["BETTER_AUTH_URL", "localhost:3000", "BETTER_AUTH_URL must be an http or https URL"],
  ["NEXT_PUBLIC_BACKEND_URL", "https://", "NEXT_PUBLIC_BACKEND_URL must be an http or https URL"],
  ["JWT_ALGORITHM", "RS256", "JWT_ALGORITHM must be HS256 or EdDSA"],
])("%s=%s is refused with an error that says what to change", (name, value, message) => {
  expect(() => readEnv({ ...ENV, [name]: value })).toThrow(message);
});
