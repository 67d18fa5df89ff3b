import type { Reporter, TestCase } from "@playwright/test/reporter";

/** Prints the measurements of the tests at the end, from annotations of the type `measure`. */
export default class Measures implements Reporter {
  #lines: string[] = [];

  onTestEnd({ annotations }: TestCase) {
    const measures = annotations.filter(({ type }) => type === "measure");
    this.#lines.push(...measures.map(({ description = "" }) => description));
  }

  onEnd() {
    if (this.#lines.length) process.stdout.write(`\n${this.#lines.map((line) => `  ${line}\n`).join("")}\n`);
  }

  printsToStdio() {
    return false;
  }
}
