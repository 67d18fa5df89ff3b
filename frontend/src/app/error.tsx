"use client";

import { Button } from "@/components/ui/button";

/** Shown where a page fails on the server, most likely because the database cannot be reached. */
export default function Failure() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center justify-items-center gap-4 px-4 text-center">
      <h1 className="font-semibold text-xl">This page could not be shown</h1>
      <p className="text-muted text-sm">The server failed to put it together. Nothing of yours is lost.</p>
      <Button onClick={() => window.location.reload()}>Try again</Button>
    </main>
  );
}
