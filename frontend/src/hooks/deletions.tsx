"use client";

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { toast } from "sonner";

import { useApi } from "@/hooks/api";
import type { Task } from "@/lib/api";
import { ApiError, Unreachable } from "@/lib/errors";
import { COMPLETE, refreshAfterWrite, removeDeletedTask, removeTask } from "@/lib/task-cache";
import { shorten } from "@/lib/utils";

const UNDO_TIME = 7000; // milliseconds in which a deletion can be undone

type Deletions = {
  /** Deleted tasks that the API still has. */
  hidden: ReadonlyMap<string, Task>;
  remove: (task: Task) => void;
  undoLast: () => void;
  /** Records the new version after a write that this page had begun before the deletion. */
  trackVersion: (task: Task) => void;
};

const Context = createContext<Deletions>({
  hidden: new Map(),
  remove: () => {},
  undoLast: () => {},
  trackVersion: () => {},
});

export const useDeletions = () => useContext(Context);

/**
 * Hides a deleted task at once, and deletes it at the API when its undo expires or the user leaves the page. So undo
 * brings back the very same task, and a crash of the browser before then loses nothing.
 */
export function DeletionsProvider({ children }: { children: ReactNode }) {
  const api = useApi();
  const queries = useQueryClient();
  const [hidden, setHidden] = useState<Deletions["hidden"]>(new Map());
  const unsent = useRef(new Map<string, Task>());

  const unhide = useCallback((id: string) => {
    unsent.current.delete(id);
    toast.dismiss(id);
    setHidden((all) => new Map([...all].filter(([each]) => each !== id)));
  }, []);

  const send = useCallback(
    async (id: string) => {
      const task = unsent.current.get(id);
      if (!task || !unsent.current.delete(id)) return;
      toast.dismiss(id); // from here on there is no undo
      // Delete only the version that the user saw, so that nobody's later change is lost. Each click on its checkbox
      // that has no response yet may have added one version.
      const clicks = queries.isMutating({ mutationKey: [...COMPLETE, id] });
      const versions = Array.from({ length: clicks + 1 }, (_, index) => task.version + index);
      const wasOnline = navigator.onLine;
      let failure: unknown;
      try {
        await api.deleteTask(id, versions);
        removeDeletedTask(queries, task);
      } catch (error) {
        failure = error;
        if (error instanceof ApiError && error.status === 404) removeTask(queries, id);
        else toast.error(`“${shorten(task.title)}” ${outcome(error, wasOnline)} ${(error as Error).message}`);
      }
      unhide(id);
      refreshAfterWrite(queries, failure);
    },
    [api, queries, unhide],
  );

  const remove = useCallback(
    (task: Task) => {
      unsent.current.set(task.id, task);
      setHidden((all) => new Map(all).set(task.id, task));
      toast(`“${shorten(task.title)}” deleted`, {
        id: task.id,
        duration: UNDO_TIME,
        action: { label: "Undo", onClick: () => unhide(task.id) },
        onAutoClose: () => void send(task.id),
        onDismiss: () => void send(task.id),
      });
    },
    [send, unhide],
  );

  const trackVersion = useCallback((task: Task) => {
    const deleted = unsent.current.get(task.id);
    if (deleted && task.version === deleted.version + 1) unsent.current.set(task.id, task);
  }, []);

  const undoLast = useCallback(() => {
    const last = [...unsent.current.keys()].at(-1);
    if (last) unhide(last);
  }, [unhide]);

  useEffect(() => {
    const sendAll = () => {
      for (const id of unsent.current.keys()) void send(id);
    };
    window.addEventListener("pagehide", sendAll);
    return () => {
      window.removeEventListener("pagehide", sendAll);
      sendAll();
    };
  }, [send]);

  const value = useMemo(() => ({ hidden, remove, undoLast, trackVersion }), [hidden, remove, undoLast, trackVersion]);
  return <Context value={value}>{children}</Context>;
}

function outcome(error: unknown, wasOnline: boolean): string {
  return wasOnline && error instanceof Unreachable ? "may or may not have been deleted." : "was not deleted.";
}
