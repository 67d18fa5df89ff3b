import type { Task, TaskCreate } from "@/lib/api";

/** What the API will make of a new task, as far as can be known before its response. */
export function newTask(task: TaskCreate): Task {
  const now = new Date().toISOString();
  return {
    id: "",
    userId: "",
    description: null,
    status: "pending",
    completed: false,
    completedAt: null,
    priority: "medium",
    category: "other",
    dueDate: null,
    version: 0,
    createdAt: now,
    updatedAt: now,
    ...task,
  };
}
