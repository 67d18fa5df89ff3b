"use client";

import { Button } from "@/components/ui/button";

/** Shown if a page fails on the server, most likely because the database is unreachable. */
export default function Failure() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center justify-items-center gap-4 px-4 text-center">
      <h1 className="font-semibold text-xl">Couldn’t show this page</h1>
      <p className="text-muted text-sm">Something went wrong on the server. Nothing was lost.</p>
      <Button onClick={() => window.location.reload()}>Retry</Button>
    </main>
  );
}
