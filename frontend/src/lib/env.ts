import "server-only";

const ALGORITHMS = ["HS256", "EdDSA"] as const;

/** The server's settings, read when it starts, not when the app is built. Throws an error that says what to change. */
export function readEnv(env: Record<string, string | undefined> = process.env) {
  return {
    databaseUrl: required(env, "DATABASE_URL"),
    secret: required(env, "BETTER_AUTH_SECRET", 32),
    appUrl: url(env, "BETTER_AUTH_URL", "http://localhost:3000"),
    backendUrl: readBackendUrl(env),
    algorithm: oneOf(env, "JWT_ALGORITHM", ALGORITHMS),
  };
}

/** Separate for the proxy, which needs nothing else and runs even where nothing else is set. */
export function readBackendUrl(env: Record<string, string | undefined> = process.env): string {
  // Not `process.env.NEXT_PUBLIC_…`, which Next.js replaces with the value at build time.
  return url(env, "NEXT_PUBLIC_BACKEND_URL", "http://127.0.0.1:8000");
}

function required(env: Record<string, string | undefined>, name: string, length = 1): string {
  const value = env[name] ?? "";
  if (!value) throw new Error(`${name} is not set. See frontend/.env.example.`);
  if (value.length < length) throw new Error(`${name} must have at least ${length} characters.`);
  return value;
}

function url(env: Record<string, string | undefined>, name: string, fallback: string): string {
  const value = env[name] || fallback;
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) throw new Error(`${name} must be an http or https URL.`);
  return value.replace(/\/+$/, "");
}

function oneOf<T extends string>(
  env: Record<string, string | undefined>,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const value = env[name] || choices[0];
  const choice = choices.find((each) => each === value);
  if (!choice) throw new Error(`${name} must be ${choices.join(" or ")}.`);
  return choice;
}
