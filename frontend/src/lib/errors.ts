import type { components } from "@/lib/api-types";

// Error
// ├── ApiError       the API refused the request with a problem detail (RFC 9457)
// ├── Unreachable    no response: there is no network, the API is down, or it took too long
// └── SignedOut      the session has ended, so no token can be issued
//
// Every message is a sentence for the user.

export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    readonly status: number,
    /** Stable. The API documents each one in docs/errors.md. */
    readonly code: string,
    message: string,
    readonly requestId: string,
    /** Each `detail` is a sentence about the member that `pointer` names. */
    readonly faults: components["schemas"]["Fault"][],
    /** How long to wait before a retry, if the API says so: milliseconds from the response. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }

  static async from(response: Response): Promise<ApiError> {
    const problem: Partial<components["schemas"]["Problem"]> = await response.json().catch(() => ({}));
    const { status, headers } = response;
    const faults = (problem.errors ?? []).map(({ pointer, detail }) => ({
      pointer,
      detail: `${fieldName(pointer)} ${detail}`,
    }));
    return new ApiError(
      status,
      problem.code ?? "unknown",
      faults.map(({ detail }) => detail).join(" ") || messageFor(status, problem),
      problem.requestId ?? headers.get("X-Request-Id") ?? "",
      faults,
      parseRetryAfter(headers.get("Retry-After")),
    );
  }
}

export class Unreachable extends Error {
  override name = "Unreachable";

  constructor(options?: ErrorOptions) {
    super("The task service can’t be reached. Check your connection and try again.", options);
  }
}

export class SignedOut extends Error {
  override name = "SignedOut";

  constructor() {
    super("You have been signed out. Sign in again to continue.");
  }
}

function messageFor(status: number, { code, detail }: Partial<components["schemas"]["Problem"]>): string {
  if (code === "task-not-found") return "This task no longer exists. It may have been deleted in another window.";
  if (code === "precondition-failed") return "This task was changed in another window.";
  if (status === 401) return "The task service rejected your sign-in. Sign out, then sign in again.";
  if (status === 503 || status === 429) return "The task service is busy. Try again in a moment.";
  if (status >= 500 || !detail) return `The task service returned an error (${status}). Try again.`;
  return detail;
}

/** The subject of a sentence about a member: "Due date" for `/dueDate`, "Due after" for `/due_after`. */
function fieldName(pointer: string): string {
  const words = pointer
    .replace("/", "")
    .replace(/([A-Z])|_/g, " $1")
    .toLowerCase();
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : "The request";
}

/** Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3). */
function parseRetryAfter(value: string | null): number | undefined {
  if (!value) return undefined;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
