import { execSync } from "node:child_process";

import { defineConfig, devices } from "@playwright/test";

const SYSTEM = ["chromium", "chromium-browser", "google-chrome"];

// Tests start everything that they need: `e2e/stack.ts`. It has to be installed and built before, as `make e2e` does.
export default defineConfig({
  testDir: "e2e",
  outputDir: "e2e/results",
  globalSetup: "./e2e/setup.ts",
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  retries: process.env.CI ? 1 : 0, // where other work may hold the browser up; what needed it is reported as flaky
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
    trace: process.env.CI ? "retain-on-failure" : "off", // it takes a good part of the time
    launchOptions: {
      ...(chromium() && { executablePath: chromium() }),
      args: [
        "--no-sandbox", // a container's root has none
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
    // Last and alone, so that nothing else takes the processor while it measures.
    { name: "performance", testMatch: "performance.spec.ts", dependencies: ["browser"] },
  ],
});

/** The one that is named, or the system's. Playwright's own, where there is none, needs no path. */
function chromium(): string {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return execSync(`command -v ${SYSTEM.join(" || command -v ")} || true`, { encoding: "utf8" }).trim();
}
