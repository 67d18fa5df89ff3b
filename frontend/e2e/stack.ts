import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START = 90_000; // milliseconds; a new database has to be made
const STOP = 20_000;
// Of the rest, which may be meant for other programs, nothing is passed on.
const INHERITED = ["PATH", "HOME", "LANG", "TMPDIR"];

/** Where the front end and the API are, and the folder with the database. */
export type Addresses = { web: string; api: string; data: string };

/** All that `make run` starts, on ports and data of its own, so that it does not meet a `make run` beside it. */
export class Stack implements Addresses {
  readonly web: string;
  readonly api: string;
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(
    readonly data: string,
    private readonly ports: { web: number; api: number },
    private readonly settings: Record<string, string>,
  ) {
    this.web = `http://localhost:${ports.web}`;
    this.api = `http://127.0.0.1:${ports.api}`;
  }

  static async create(settings: Record<string, string> = {}): Promise<Stack> {
    const [web, api] = await freePorts();
    const stack = new Stack(await mkdtemp(join(tmpdir(), "tasks-e2e-")), { web, api }, settings);
    await stack.start().catch(async (error) => {
      await stack.remove();
      throw error;
    });
    return stack;
  }

  async start() {
    const inherited = Object.fromEntries(INHERITED.map((name) => [name, process.env[name]]));
    this.#log = "";
    const child = spawn(
      join(ROOT, "backend/.venv/bin/tasks"),
      ["dev", "--data", this.data, "--frontend", join(ROOT, "frontend")],
      {
        cwd: this.data,
        env: {
          ...inherited,
          ...this.settings,
          API_PORT: String(this.ports.api),
          FRONTEND_PORT: String(this.ports.web),
        } as unknown as NodeJS.ProcessEnv, // which, by Next.js, has to have NODE_ENV
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    this.#process = child;
    for (const output of [child.stdout, child.stderr]) {
      output?.on("data", (data) => {
        this.#log = (this.#log + data).slice(-10_000);
      });
    }
    await this.#ready(child);
  }

  async #ready(child: ChildProcess) {
    const end = Date.now() + START;
    let failure: unknown;
    child.once("error", (error) => {
      failure = error;
    });
    while (!(await answers(`${this.api}/health/ready`)) || !(await answers(`${this.web}/api/auth/ok`))) {
      if (failure || child.exitCode !== null || Date.now() > end) {
        throw new Error(`The application did not start.\n${failure ?? this.#log}`);
      }
      await sleep(100);
    }
  }

  /** As Ctrl-C does. The data stays. */
  async stop() {
    const child = this.#process;
    this.#process = undefined;
    if (!child?.pid || child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP);
    await exit;
    clearTimeout(timer);
  }

  /** Keeps the API from answering. */
  freeze() {
    this.#process?.kill("SIGSTOP");
  }

  thaw() {
    this.#process?.kill("SIGCONT");
  }

  async remove() {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(5000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function freePorts(): Promise<[number, number]> {
  const [first, second] = [createServer(), createServer()];
  const ports: number[] = [];
  for (const server of [first, second]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of [first, second]) server.close();
  return ports as [number, number];
}
