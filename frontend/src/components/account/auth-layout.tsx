import Link from "next/link";
import type { ReactNode } from "react";

import { Logo } from "@/components/logo";

/** The layout of the sign-in and sign-up pages. */
export function AuthLayout({
  title,
  notice,
  other,
  children,
}: {
  title: string;
  notice?: string | undefined;
  other: { text: string; link: string; href: string };
  children: ReactNode;
}) {
  return (
    <main className="mx-auto grid min-h-dvh w-full max-w-md content-center gap-6 px-4 py-10">
      <Logo />
      <div className="rounded-2xl border bg-surface p-6 shadow-sm sm:p-8">
        <h1 className="font-semibold text-xl">{title}</h1>
        {notice && (
          <p role="status" className="mt-3 rounded-lg bg-raised px-3 py-2 text-sm">
            {notice}
          </p>
        )}
        <div className="mt-5">{children}</div>
      </div>
      <p className="text-center text-muted text-sm">
        {other.text}{" "}
        <Link href={other.href} className="font-medium text-primary underline underline-offset-4">
          {other.link}
        </Link>
      </p>
    </main>
  );
}
