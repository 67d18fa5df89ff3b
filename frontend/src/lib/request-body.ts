export const MAX_BODY = 16 * 1024; // bytes; the forms send Better Auth no more than a name, an address and two passwords

/** Returns the request, or an error response if its body is too long or has a character that PostgreSQL cannot store. */
export async function checkBody(request: Request): Promise<Request | Response> {
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
