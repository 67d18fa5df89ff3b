// node check-locks.mjs FILE...: fails if npm could install a package of these lock files without verifying it.
import { readFileSync } from "node:fs";

for (const file of process.argv.slice(2)) {
  const { packages } = JSON.parse(readFileSync(file, "utf8"));
  for (const [path, { version, integrity, link, inBundle }] of Object.entries(packages)) {
    // The root is this project, a link is a folder of it, and a bundled package is part of an archive that has a hash.
    if (path === "" || integrity || link || inBundle) continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    process.stderr.write(
      `${file}: "${path}" has no integrity. Add what \`npm view ${name}@${version} dist.integrity\` prints.\n`,
    );
    process.exitCode = 1;
  }
}
