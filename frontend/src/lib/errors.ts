import type { components } from "@/lib/api-types";

// Error
// ├── ApiError       the API answered, and refused: a problem detail (RFC 9457)
// ├── Unreachable    no answer: no network, the API is down, or it took too long
// └── SignedOut      there is no session any more, so there is no token to be had

/** Every message of these is a sentence that can be shown to whoever is using the app. */
export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    readonly status: number,
    /** Stable; docs/errors.md of the API explains each. */
    readonly code: string,
    message: string,
    readonly requestId: string,
    /** Each `detail` is a sentence about the member that `pointer` names. */
    readonly faults: components["schemas"]["Fault"][],
    /** When to try again, if the API said so: milliseconds from the answer. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }

  static async from(response: Response): Promise<ApiError> {
    const problem: Partial<components["schemas"]["Problem"]> = await response.json().catch(() => ({}));
    const { status, headers } = response;
    const faults = (problem.errors ?? []).map(({ pointer, detail }) => ({
      pointer,
      detail: `${label(pointer)} ${detail}`,
    }));
    return new ApiError(
      status,
      problem.code ?? "unknown",
      faults.map(({ detail }) => detail).join(" ") || sentence(status, problem),
      problem.requestId ?? headers.get("X-Request-Id") ?? "",
      faults,
      delay(headers.get("Retry-After")),
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
    super("You have been signed out. Sign in again to go on.");
  }
}

function sentence(status: number, { code, detail }: Partial<components["schemas"]["Problem"]>): string {
  if (code === "task-not-found") return "This task is not there any more. It may have been deleted in another window.";
  if (code === "precondition-failed") return "This task has been changed in another window since it was shown here.";
  if (status === 401) return "The task service does not accept your sign-in. Sign out and in again.";
  if (status === 503 || status === 429) return "The task service is busy. Try again in a moment.";
  if (status >= 500 || !detail) return `The task service failed to answer (${status}). Try again.`;
  return detail;
}

/** `/dueDate` and `/due_after` as a sentence begins with them: "Due date", "Due after". */
function label(pointer: string): string {
  const words = pointer
    .replace("/", "")
    .replace(/([A-Z])|_/g, " $1")
    .toLowerCase();
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : "The request";
}

/** Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3). */
function delay(value: string | null): number | undefined {
  if (!value) return undefined;
  const milliseconds = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
