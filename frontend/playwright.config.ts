import { execSync } from "node:child_process";

import { defineConfig, devices } from "@playwright/test";

const SYSTEM = ["chromium", "chromium-browser", "google-chrome"];

// The tests start everything they need (`e2e/stack.ts`), but it must be installed and built first, as `make e2e` does.
export default defineConfig({
  testDir: "e2e",
  outputDir: "e2e/results",
  globalSetup: "./e2e/setup.ts",
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  retries: process.env.CI ? 1 : 0, // a busy runner may slow the browser down; tests that needed a retry are reported as flaky
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["dot"], ["./e2e/measures.ts"]],
  use: {
    ...devices["Desktop Chrome"],
    viewport: { width: 1100, height: 800 },
    locale: "en-US",
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
    screenshot: "only-on-failure",
    trace: process.env.CI ? "retain-on-failure" : "off", // recording slows the tests down
    launchOptions: {
      ...(chromium() && { executablePath: chromium() }),
      args: [
        "--no-sandbox", // root in a container cannot have one
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "browser", testIgnore: "performance.spec.ts" },
    // Last and alone, so that nothing else uses the processor during a measurement.
    { name: "performance", testMatch: "performance.spec.ts", dependencies: ["browser"] },
  ],
});

/** The browser named in CHROMIUM, or the system's. Playwright finds its own without a path. */
function chromium(): string {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return execSync(`command -v ${SYSTEM.join(" || command -v ")} || true`, { encoding: "utf8" }).trim();
}
