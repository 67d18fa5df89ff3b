import createClient from "openapi-fetch";

import type { components, operations, paths } from "@/lib/api-types";
import { ApiError, Unreachable } from "@/lib/errors";
import type { Tokens } from "@/lib/token";

export type Task = components["schemas"]["TaskRead"];
export type TaskCreate = components["schemas"]["TaskCreate"];
export type TaskPatch = components["schemas"]["TaskPatch"];
export type Stats = components["schemas"]["Stats"];
export type TaskQuery = Omit<NonNullable<operations["find_tasks"]["parameters"]["query"]>, "cursor">;
export type Page = { tasks: Task[]; next: string | undefined };
export type Api = ReturnType<typeof createApi>;

export const REQUEST_TIMEOUT = 15_000; // milliseconds

/** Characters. A `keepalive` request survives its page, but browsers limit all of them together to 64 KiB. */
const MAX_KEEPALIVE_BODY = 4000;

/**
 * The only way to the backend: it alone knows the address, the token and how errors are thrown.
 *
 * Every function throws ApiError, Unreachable or SignedOut, or the AbortError of a request that was aborted. A write
 * that takes versions succeeds only if the task has one of them (412 otherwise).
 */
export function createApi({ url, userId, tokens }: { url: string; userId: string; tokens: Tokens }) {
  const client = createClient<paths>({ baseUrl: url, fetch: (request) => send(request, tokens) });
  // The id, not `me`: if another window switches accounts, the API refuses the request instead of mixing the two.
  const path = { user_id: userId };
  const taskPath = (id: string) => ({ ...path, task_id: id });
  const ifMatch = (...versions: number[]) => ({ "if-match": versions.map((version) => `"${version}"`).join(", ") });

  return {
    async findTasks(query: TaskQuery, cursor?: string, signal?: AbortSignal): Promise<Page> {
      const { data, response } = await client.GET("/api/{user_id}/tasks", {
        params: { path, query: cursor ? { ...query, cursor } : query },
        signal: signal ?? null,
      });
      return { tasks: requireData(data), next: nextCursor(response) };
    },

    async getTask(id: string): Promise<Task> {
      const { data } = await client.GET("/api/{user_id}/tasks/{task_id}", { params: { path: taskPath(id) } });
      return requireData(data);
    },

    /** Safe to repeat with the same key: it adds one task. `key` is a UUID. */
    async createTask(body: TaskCreate, key: string): Promise<Task> {
      const keepalive = JSON.stringify(body).length <= MAX_KEEPALIVE_BODY;
      const params = { path, header: { "idempotency-key": `"${key}"` } };
      const { data } = await client.POST("/api/{user_id}/tasks", { params, body, keepalive });
      return requireData(data);
    },

    async patchTask(id: string, body: TaskPatch, version: number): Promise<Task> {
      const { data } = await client.PATCH("/api/{user_id}/tasks/{task_id}", {
        params: { path: taskPath(id), header: ifMatch(version) },
        body,
      });
      return requireData(data);
    },

    /** Safe to repeat: it sets the state instead of toggling it. */
    async completeTask(id: string, completed: boolean): Promise<Task> {
      const { data } = await client.PATCH("/api/{user_id}/tasks/{task_id}/complete", {
        params: { path: taskPath(id) },
        body: { completed },
        keepalive: true,
      });
      return requireData(data);
    },

    async deleteTask(id: string, versions: number[]): Promise<void> {
      await client.DELETE("/api/{user_id}/tasks/{task_id}", {
        params: { path: taskPath(id), header: ifMatch(...versions) },
        keepalive: true,
      });
    },

    /** `today` is the user's calendar day. A task that is due on an earlier day counts as overdue. */
    async getStats(today: string, signal?: AbortSignal): Promise<Stats> {
      const { data } = await client.GET("/api/{user_id}/stats", {
        params: { path, query: { today } },
        signal: signal ?? null,
      });
      return requireData(data);
    },
  };
}

async function send(request: Request, tokens: Tokens): Promise<Response> {
  const token = await tokens.get();
  let response = await attempt(request.clone(), token);
  if (response.status === 401) response = await attempt(request, await tokens.replace(token));
  if (!response.ok) throw await ApiError.from(response);
  return response;
}

async function attempt(request: Request, token: string): Promise<Response> {
  request.headers.set("Authorization", `Bearer ${token}`);
  try {
    const response = await fetch(request, {
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_TIMEOUT)]),
    });
    // Read the whole body here, so that a response that breaks off counts as unreachable, not as malformed.
    const body = await response.blob();
    // Something in between has answered, such as the sign-in page of a hotel's network.
    if (response.ok && body.size && !body.type.includes("json")) throw new TypeError("The response is not JSON.");
    return new Response(body.size ? body : null, response);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Unreachable({ cause: error });
  }
}

/** `send` throws for every error, so data that openapi-fetch types as optional is always present. */
function requireData<T>(data: T | undefined): T {
  if (data === undefined) throw new Unreachable();
  return data;
}

/** From `Link: </api/…?…&cursor=…>; rel="next"` (RFC 8288). */
function nextCursor(response: Response): string | undefined {
  const target = response.headers.get("Link")?.match(/<([^>]*)>; rel="next"/)?.[1];
  return target && (new URLSearchParams(target.split("?")[1]).get("cursor") ?? undefined);
}
