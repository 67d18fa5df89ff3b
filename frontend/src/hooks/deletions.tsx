"use client";

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { toast } from "sonner";

import { useApi } from "@/hooks/api";
import type { Task } from "@/lib/api";
import { ApiError, Unreachable } from "@/lib/errors";
import { afterWrite, COMPLETE, forgetTask, removeTask } from "@/lib/task-cache";
import { shorten } from "@/lib/utils";

const UNDO = 7000; // milliseconds in which a deletion can be taken back

type Deletions = {
  /** Tasks that are deleted for the eye, though the API still has them. */
  hidden: ReadonlyMap<string, Task>;
  remove: (task: Task) => void;
  undoLast: () => void;
  /** A write of this page's own, begun before the deletion, has ended: what it left may be deleted. */
  saved: (task: Task) => void;
};

const Context = createContext<Deletions>({ hidden: new Map(), remove: () => {}, undoLast: () => {}, saved: () => {} });

export const useDeletions = () => useContext(Context);

/**
 * A deleted task disappears at once and is deleted at the API when its undo has run out or the page is left.
 * So undoing brings back the very task, and a browser that crashes before then has lost nothing.
 */
export function DeletionsProvider({ children }: { children: ReactNode }) {
  const api = useApi();
  const queries = useQueryClient();
  const [hidden, setHidden] = useState<Deletions["hidden"]>(new Map());
  const waiting = useRef(new Map<string, Task>());

  const show = useCallback((id: string) => {
    waiting.current.delete(id);
    toast.dismiss(id);
    setHidden((all) => new Map([...all].filter(([each]) => each !== id)));
  }, []);

  const send = useCallback(
    async (id: string) => {
      const task = waiting.current.get(id);
      if (!task || !waiting.current.delete(id)) return;
      toast.dismiss(id); // from here on it cannot be taken back
      // At the version that was on the screen: what somebody has written since is not to be lost unseen. Clicks on
      // its checkbox that have no answer yet may each have made another.
      const clicks = queries.isMutating({ mutationKey: [...COMPLETE, id] });
      const versions = Array.from({ length: clicks + 1 }, (_, more) => task.version + more);
      const sent = navigator.onLine;
      let failure: unknown;
      try {
        await api.deleteTask(id, versions);
        forgetTask(queries, task);
      } catch (error) {
        failure = error;
        if (error instanceof ApiError && error.status === 404) removeTask(queries, id);
        else toast.error(`“${shorten(task.title)}” ${outcome(error, sent)} ${(error as Error).message}`);
      }
      show(id);
      afterWrite(queries, failure);
    },
    [api, queries, show],
  );

  const remove = useCallback(
    (task: Task) => {
      waiting.current.set(task.id, task);
      setHidden((all) => new Map(all).set(task.id, task));
      toast(`“${shorten(task.title)}” deleted`, {
        id: task.id,
        duration: UNDO,
        action: { label: "Undo", onClick: () => show(task.id) },
        onAutoClose: () => void send(task.id),
        onDismiss: () => void send(task.id),
      });
    },
    [send, show],
  );

  const saved = useCallback((task: Task) => {
    const known = waiting.current.get(task.id);
    if (known && task.version === known.version + 1) waiting.current.set(task.id, task);
  }, []);

  const undoLast = useCallback(() => {
    const last = [...waiting.current.keys()].at(-1);
    if (last) show(last);
  }, [show]);

  useEffect(() => {
    const sendAll = () => {
      for (const id of waiting.current.keys()) void send(id);
    };
    window.addEventListener("pagehide", sendAll);
    return () => {
      window.removeEventListener("pagehide", sendAll);
      sendAll();
    };
  }, [send]);

  const value = useMemo(() => ({ hidden, remove, undoLast, saved }), [hidden, remove, undoLast, saved]);
  return <Context value={value}>{children}</Context>;
}

function outcome(error: unknown, sent: boolean): string {
  return sent && error instanceof Unreachable ? "may have been deleted or not." : "was not deleted.";
}
