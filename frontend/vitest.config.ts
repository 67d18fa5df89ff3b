import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// Code about dates reads the zone of its process, so its tests run once in each of these: both ends of the world, where a
// shifted day shows at any hour, UTC, and one whose clocks change. The other tests run once.
const DATE_TESTS = ["src/lib/due.test.ts", "src/lib/quick-add.test.ts"];
const ZONES = ["Pacific/Pago_Pago", "UTC", "Europe/Berlin", "Pacific/Kiritimati"];

export default defineConfig({
  resolve: {
    alias: {
      "@": path("./src"),
      // This package throws on import outside Next.js.
      "server-only": path("./node_modules/server-only/empty.js"),
    },
  },
  test: {
    environment: "node",
    pool: "forks",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "scripts/*.test.ts"],
          exclude: [...configDefaults.exclude, ...DATE_TESTS],
          env: { TZ: "UTC" },
        },
      },
      ...ZONES.map((zone) => ({
        extends: true as const,
        test: { name: zone, include: DATE_TESTS, env: { TZ: zone } },
      })),
    ],
  },
});
