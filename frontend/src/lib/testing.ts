import type { Task } from "@/lib/api";
import { newTask } from "@/lib/new-task";

/** A pending task as the API returns it, with the members that a test names. */
export function makeTask(members: Partial<Task> = {}): Task {
  return {
    ...newTask({ title: "Water the plants", category: "garden" }),
    id: "01",
    userId: "ada",
    version: 3,
    createdAt: "2026-01-01T00:00:00.000000Z",
    updatedAt: "2026-01-01T00:00:00.000000Z",
    ...members,
  };
}
