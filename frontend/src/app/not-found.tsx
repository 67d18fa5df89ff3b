import type { Metadata } from "next";
import Link from "next/link";

import { Button } from "@/components/ui/button";

export const metadata: Metadata = { title: "No such page" };

export default function NotFound() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center justify-items-center gap-4 px-4 text-center">
      <h1 className="font-semibold text-xl">There is no such page</h1>
      <p className="text-muted text-sm">The address may be mistyped, or the link is an old one.</p>
      <Button asChild>
        <Link href="/">To your tasks</Link>
      </Button>
    </main>
  );
}
