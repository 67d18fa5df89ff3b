import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_TIMEOUT = 90_000; // milliseconds, including the creation of a database
const STOP_TIMEOUT = 20_000;
// Other variables may be meant for other programs, so they are not passed on.
const INHERITED = ["PATH", "HOME", "LANG", "TMPDIR"];

/** The addresses of the front end and the API, and the folder with the database. */
export type Addresses = { web: string; api: string; data: string };

/** Everything that `make run` starts, with its own ports and data, so that both can run at the same time. */
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
        } as unknown as NodeJS.ProcessEnv, // Next.js declares NODE_ENV as required
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
    const end = Date.now() + START_TIMEOUT;
    let failure: unknown;
    child.once("error", (error) => {
      failure = error;
    });
    while (!(await answers(`${this.api}/health/ready`)) || !(await answers(`${this.web}/api/auth/ok`))) {
      if (failure || child.exitCode !== null || Date.now() > end) {
        throw new Error(`The stack did not start.\n${failure ?? this.#log}`);
      }
      await sleep(100);
    }
  }

  /** Stops everything, as Ctrl-C does. The data stays. */
  async stop() {
    const child = this.#process;
    this.#process = undefined;
    if (!child?.pid || child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT);
    await exit;
    clearTimeout(timer);
  }

  /** Keeps the API from responding. */
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
