"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useState } from "react";

import { useSameUser } from "@/hooks/same-user";
import { type Api, createApi } from "@/lib/api";
import { issueToken } from "@/lib/auth-client";
import { goToSignIn } from "@/lib/navigation";
import { createQueryClient } from "@/lib/query-client";
import { createTokens } from "@/lib/token";

const Context = createContext<Api | null>(null);

export function useApi(): Api {
  const api = useContext(Context);
  if (!api) throw new Error("useApi was called outside ApiProvider");
  return api;
}

/** Provides the API as one user sees it, and a cache of its responses. Another user needs another page load. */
export function ApiProvider({ url, userId, children }: { url: string; userId: string; children: ReactNode }) {
  const [api] = useState(() => createApi({ url, userId, tokens: createTokens(issueToken) }));
  const [queries] = useState(() => createQueryClient(() => goToSignIn("signed-out")));
  useSameUser(userId);
  return (
    <Context value={api}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </Context>
  );
}
