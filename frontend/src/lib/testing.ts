import type { Task } from "@/lib/api";

/** A pending task as the API returns it, with the members that a test names. */
export function makeTask(members: Partial<Task> = {}): Task {
  return {
    id: "01",
    userId: "ada",
    title: "Water the plants",
    description: null,
    status: "pending",
    completed: false,
    completedAt: null,
    priority: "medium",
    category: "garden",
    dueDate: null,
    version: 3,
    createdAt: "2026-01-01T00:00:00.000000Z",
    updatedAt: "2026-01-01T00:00:00.000000Z",
    ...members,
  };
}
