/** The part of the API that tests use to set up and check data without the browser. */
export type Task = {
  id: string;
  title: string;
  description: string | null;
  status: "pending" | "completed";
  priority: "low" | "medium" | "high";
  category: string;
  dueDate: string | null;
  version: number;
};

export class Api {
  constructor(
    private readonly url: string,
    readonly token: string,
  ) {}

  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    return fetch(`${this.url}/api/${path}`, { ...init, headers });
  }

  async #json<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await this.request(path, init);
    if (!response.ok) throw new Error(`${init?.method ?? "GET"} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  create(task: Partial<Task> & { title: string }): Promise<Task> {
    return this.#json("me/tasks", { method: "POST", body: JSON.stringify(task) });
  }

  /** One by one, so that the first is the oldest. */
  async createAll(tasks: Iterable<Partial<Task> & { title: string }>): Promise<Task[]> {
    const created: Task[] = [];
    for (const task of tasks) created.push(await this.create(task));
    return created;
  }

  complete(id: string): Promise<Task> {
    return this.#json(`me/tasks/${id}/complete`, { method: "PATCH", body: JSON.stringify({ completed: true }) });
  }

  delete(id: string): Promise<void> {
    return this.#json(`me/tasks/${id}`, { method: "DELETE" });
  }

  find(): Promise<Task[]> {
    return this.#json("me/tasks");
  }

  async titles(): Promise<string[]> {
    return (await this.find()).map(({ title }) => title);
  }
}
