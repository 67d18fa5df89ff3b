import Link from "next/link";

import { Button } from "@/components/ui/button";

export default function NotFound() {
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center justify-items-center gap-4 px-4 text-center">
      <h1 className="font-semibold text-xl">There is no such page</h1>
      <Button asChild>
        <Link href="/">To your tasks</Link>
      </Button>
    </main>
  );
}
