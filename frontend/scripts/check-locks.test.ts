import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("./check-locks.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "locks-"));

afterAll(() => rmSync(folder, { recursive: true }));

function check(packages: Record<string, object>) {
  const file = join(folder, "package-lock.json");
  writeFileSync(file, JSON.stringify({ lockfileVersion: 3, packages: { "": { name: "app" }, ...packages } }));
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, file], { encoding: "utf8" });
  return { status, stderr: stderr.replace(file, "LOCK") };
}

test("a lock whose packages all have a hash passes", () => {
  const packages = {
    "node_modules/pg": { version: "8.0.0", integrity: "sha512-…" },
    "node_modules/own": { link: true },
    "node_modules/pg/node_modules/bundled": { version: "1.0.0", inBundle: true },
  };

  expect(check(packages)).toEqual({ status: 0, stderr: "" });
});

test("a package without a hash is refused and named", () => {
  const packages = {
    "node_modules/pg": { version: "8.0.0", integrity: "sha512-…" },
    "node_modules/pg/node_modules/@next/env": { version: "16.4.6", optional: true },
  };

  expect(check(packages)).toEqual({
    status: 1,
    stderr:
      'LOCK: "node_modules/pg/node_modules/@next/env" has no integrity. ' +
      "Add what `npm view @next/env@16.4.6 dist.integrity` prints.\n",
  });
});
