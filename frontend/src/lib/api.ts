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

export const PATIENCE = 15_000; // milliseconds until an answer that does not come counts as none

/** Characters. Requests with `keepalive` go on when their page is left; browsers limit these to 64 KiB together. */
const LITTLE = 4000;

/**
 * The only door to the backend: it knows the address, the token and how errors are thrown.
 *
 * Every function throws ApiError, Unreachable or SignedOut, and nothing else but the AbortError of a request that
 * was called off. Writes that take versions go ahead only if the task is at one of them (412 otherwise).
 */
export function createApi({ url, userId, tokens }: { url: string; userId: string; tokens: Tokens }) {
  const client = createClient<paths>({ baseUrl: url, fetch: (request) => send(request, tokens) });
  // The id and not `me`: after a change of accounts in another window the API refuses rather than mixing the two.
  const path = { user_id: userId };
  const one = (id: string) => ({ ...path, task_id: id });
  const unchangedSince = (...versions: number[]) => ({ "if-match": versions.map((version) => `"${version}"`) });

  return {
    async findTasks(query: TaskQuery, cursor?: string, signal?: AbortSignal): Promise<Page> {
      const { data, response } = await client.GET("/api/{user_id}/tasks", {
        params: { path, query: cursor ? { ...query, cursor } : query },
        signal: signal ?? null,
      });
      return { tasks: had(data), next: nextCursor(response) };
    },

    async getTask(id: string): Promise<Task> {
      const { data } = await client.GET("/api/{user_id}/tasks/{task_id}", { params: { path: one(id) } });
      return had(data);
    },

    async createTask(body: TaskCreate): Promise<Task> {
      const keepalive = JSON.stringify(body).length <= LITTLE;
      const { data } = await client.POST("/api/{user_id}/tasks", { params: { path }, body, keepalive });
      return had(data);
    },

    async patchTask(id: string, body: TaskPatch, version: number): Promise<Task> {
      const { data } = await client.PATCH("/api/{user_id}/tasks/{task_id}", {
        params: { path: one(id), header: unchangedSince(version) },
        body,
      });
      return had(data);
    },

    /** Safe to repeat: it sets, and does not toggle. */
    async completeTask(id: string, completed: boolean): Promise<Task> {
      const { data } = await client.PATCH("/api/{user_id}/tasks/{task_id}/complete", {
        params: { path: one(id) },
        body: { completed },
        keepalive: true,
      });
      return had(data);
    },

    async deleteTask(id: string, versions: number[]): Promise<void> {
      await client.DELETE("/api/{user_id}/tasks/{task_id}", {
        params: { path: one(id), header: unchangedSince(...versions) },
        keepalive: true,
      });
    },

    /** `today` is the reader's calendar day, before which a task is overdue that is due on a day. */
    async getStats(today: string, signal?: AbortSignal): Promise<Stats> {
      const { data } = await client.GET("/api/{user_id}/stats", {
        params: { path, query: { today } },
        signal: signal ?? null,
      });
      return had(data);
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
    const response = await fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE)]) });
    // Read to its end here, where an answer that breaks off is told apart from one that is wrong.
    const body = await response.blob();
    // It comes from something in between, such as the sign-in page of a hotel's network.
    if (response.ok && body.size && !body.type.includes("json")) throw new TypeError("This is not JSON.");
    return new Response(body.size ? body : null, response);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Unreachable({ cause: error });
  }
}

/** Errors are thrown before openapi-fetch sees them, so that what it types as perhaps missing is there. */
function had<T>(data: T | undefined): T {
  if (data === undefined) throw new Unreachable();
  return data;
}

/** From `Link: </api/…?…&cursor=…>; rel="next"` (RFC 8288). */
function nextCursor(response: Response): string | undefined {
  const target = response.headers.get("Link")?.match(/<([^>]*)>; rel="next"/)?.[1];
  return target && (new URLSearchParams(target.split("?")[1]).get("cursor") ?? undefined);
}
