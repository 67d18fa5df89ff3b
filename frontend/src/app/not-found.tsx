import type { Metadata } from "next";
import Link from "next/link";

import { Button } from "@/components/ui/button";

export const metadata: Metadata = { title: "Page not found" };

export default function NotFound() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center justify-items-center gap-4 px-4 text-center">
      <h1 className="font-semibold text-xl">Page not found</h1>
      <p className="text-muted text-sm">The address may be mistyped, or the link may be old.</p>
      <Button asChild>
        <Link href="/">Go to your tasks</Link>
      </Button>
    </main>
  );
}
