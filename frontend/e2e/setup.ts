import { Stack } from "./stack";

/** One stack for all tests, except those that stop it or need other settings. */
export default async function setup() {
  const stack = await Stack.create();
  process.env.E2E_STACK = JSON.stringify({ web: stack.web, api: stack.api, data: stack.data });
  return () => stack.remove();
}
