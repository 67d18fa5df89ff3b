export const MAX_BODY = 16 * 1024; // bytes; the longest that Better Auth is sent here is a name and a password

/** The request with its body read, or the refusal of one that is too long or holds what PostgreSQL cannot store. */
export async function bounded(request: Request): Promise<Request | Response> {
  if (!request.body) return request;
  const text = await read(request.body);
  if (text === undefined) return refusal(413, `The request body is larger than ${MAX_BODY / 1024} KiB.`);
  if (/\0|\\u0000/.test(text)) return refusal(400, "The request must not contain the NUL character.");
  return new Request(request.url, { method: request.method, headers: request.headers, body: text });
}

async function read(body: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > MAX_BODY) {
      void reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function refusal(status: number, message: string): Response {
  return Response.json({ message }, { status });
}
