import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, expect, test } from "vitest";

import { type Api, createApi } from "@/lib/api";
import { ApiError, SignedOut, Unreachable } from "@/lib/errors";

const TASK = { id: "01", title: "Water the plants", version: 3 };
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** An API client and its server, which responds with `answer`. `seen` holds the line and headers of each request. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
  const seen: { line: string; headers: IncomingMessage["headers"] }[] = [];
  const server = createServer((request, response) => {
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    answer(request, response, seen.length);
  }).listen(0, "127.0.0.1");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let count = 0;
  const tokens = { get: async () => `token-${count}`, replace: async () => `token-${++count}` };
  return { api: createApi({ url, userId: "ada", tokens }), seen, server };
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test("a list request has the user, the token and the filters, and returns the next cursor", async () => {
  const next = '</api/ada/tasks?limit=2&cursor=a%2Bb>; rel="next"';
  const { api, seen } = await serve((_, response) => json(response, 200, [TASK], { Link: next }));

  const page = await api.findTasks({ status: "pending", search: "a & b", limit: 2 });
  await api.findTasks({ limit: 2 }, page.next);

  expect(page).toEqual({ tasks: [TASK], next: "a+b" });
  expect(seen[0]?.line).toBe("GET /api/ada/tasks?status=pending&search=a%20%26%20b&limit=2");
  expect(seen[0]?.headers.authorization).toBe("Bearer token-0");
  expect(seen[1]?.line).toBe("GET /api/ada/tasks?limit=2&cursor=a%2Bb");
});

test("the last page has no next cursor", async () => {
  const { api } = await serve((_, response) => json(response, 200, []));

  await expect(api.findTasks({})).resolves.toEqual({ tasks: [], next: undefined });
});

test("after a 401 the whole request is sent once more with another token", async () => {
  const bodies: string[] = [];
  const { api, seen } = await serve(async (request, response, count) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    json(response, count === 1 ? 401 : 201, TASK);
  });

  await expect(api.createTask({ title: "Water the plants" }, "a")).resolves.toEqual(TASK);

  expect(seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer token-0", "Bearer token-1"]);
  expect(seen.map(({ headers }) => headers["idempotency-key"])).toEqual(['"a"', '"a"']);
  expect(bodies).toEqual(Array(2).fill('{"title":"Water the plants"}'));
});

test("a second 401 is an error, not a loop", async () => {
  const { api, seen } = await serve((_, response) => json(response, 401, { code: "invalid-token" }));

  const error = await failure(api.getStats("2026-01-05"));

  expect(error).toMatchObject({ status: 401, code: "invalid-token" });
  expect(seen).toHaveLength(2);
});

test("writes send the version they are based on", async () => {
  const { api, seen } = await serve((request, response) =>
    request.method === "DELETE" ? response.writeHead(204).end() : json(response, 200, TASK),
  );

  await api.patchTask("01", { title: "Water them" }, 3);
  await api.deleteTask("01", [4, 5]);

  expect(seen.map(({ line, headers }) => [line, headers["if-match"]])).toEqual([
    ["PATCH /api/ada/tasks/01", '"3"'],
    ["DELETE /api/ada/tasks/01", '"4", "5"'],
  ]);
});

test("a problem becomes an error with a message, its faults and a retry delay", async () => {
  const { api } = await serve((_, response) =>
    json(
      response,
      422,
      {
        code: "invalid-values",
        detail: "title: is required.",
        requestId: "r1",
        errors: [
          { pointer: "/title", detail: "is required." },
          { pointer: "/dueDate", detail: "is no date." },
        ],
      },
      { "Retry-After": "2" },
    ),
  );

  const error = await failure(api.createTask({ title: "" }, "a"));

  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 422,
    code: "invalid-values",
    message: "Title is required. Due date is no date.",
    requestId: "r1",
    faults: [
      { pointer: "/title", detail: "Title is required." },
      { pointer: "/dueDate", detail: "Due date is no date." },
    ],
    retryAfter: 2000,
  });
});

test.each([
  ["2", 2000],
  [new Date(Date.now() + 60_000).toUTCString(), 60_000],
  [new Date(0).toUTCString(), 0],
  ["soon", undefined],
])("Retry-After: %s", async (value, expected) => {
  const { api } = await serve((_, response) => json(response, 503, {}, { "Retry-After": value }));

  const { retryAfter } = (await failure(api.getStats("2026-01-05"))) as ApiError;

  if (expected === undefined) expect(retryAfter).toBeUndefined();
  else expect(Math.abs((retryAfter ?? -1e9) - expected)).toBeLessThan(2000);
});

test("an error response from a proxy has a message too", async () => {
  const { api } = await serve((_, response) => response.writeHead(502).end("<h1>Bad gateway</h1>"));

  await expect(api.getStats("2026-01-05")).rejects.toThrow("The task service returned an error (502). Try again.");
});

test.each<[string, (response: ServerResponse) => void]>([
  ["a dropped connection", (response) => response.destroy()],
  [
    "a truncated response",
    (response) => response.writeHead(200, { "Content-Length": "9" }).write("[", () => response.destroy()),
  ],
])("%s counts as unreachable", async (_, answer) => {
  const { api } = await serve((_, response) => answer(response));

  await expect(api.findTasks({})).rejects.toBeInstanceOf(Unreachable);
});

test("a service that is down is unreachable", async () => {
  const { api, server } = await serve(() => {});
  server.close();

  await expect(api.findTasks({})).rejects.toBeInstanceOf(Unreachable);
});

test("an aborted request is neither refused nor unreachable", async () => {
  const { api } = await serve(() => {});
  const controller = new AbortController();

  const error = failure(api.findTasks({}, undefined, controller.signal));
  controller.abort();

  expect(await error).toMatchObject({ name: "AbortError" });
});

test("nothing is sent without a session", async () => {
  const { seen } = await serve(() => {});
  const tokens = { get: () => Promise.reject(new SignedOut()), replace: () => Promise.reject(new SignedOut()) };
  const api: Api = createApi({ url: "http://127.0.0.1:9", userId: "ada", tokens });

  await expect(api.getStats("2026-01-05")).rejects.toBeInstanceOf(SignedOut);
  expect(seen).toEqual([]);
});

test("a page from something in between counts as unreachable", async () => {
  const { api } = await serve((_, response) =>
    response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Welcome to our hotel</h1>"),
  );

  await expect(api.findTasks({})).rejects.toBeInstanceOf(Unreachable);
});
