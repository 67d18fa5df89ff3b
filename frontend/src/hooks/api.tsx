"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useState } from "react";

import { useSameUser } from "@/hooks/same-user";
import { type Api, createApi } from "@/lib/api";
import { issueToken } from "@/lib/auth-client";
import { leave } from "@/lib/navigation";
import { createQueryClient } from "@/lib/query-client";
import { tokens } from "@/lib/token";

const Context = createContext<Api | null>(null);

export function useApi(): Api {
  const api = useContext(Context);
  if (!api) throw new Error("useApi is called outside of ApiProvider");
  return api;
}

/** The API as one user, and a cache of what it answered. Another user needs another page load. */
export function ApiProvider({ url, userId, children }: { url: string; userId: string; children: ReactNode }) {
  const [api] = useState(() => createApi({ url, userId, tokens: tokens(issueToken) }));
  const [queries] = useState(() => createQueryClient(() => leave("signed-out")));
  useSameUser(userId);
  return (
    <Context value={api}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </Context>
  );
}
