"use client";

import { CircleAlert, LoaderCircle } from "lucide-react";
import { type ReactNode, useState } from "react";

import { Button } from "@/components/ui/button";
import { useHydrated } from "@/hooks/hydrated";
import { cn } from "@/lib/utils";

type Outcome = { error: { message?: string | undefined; status: number } | null };

/** A form that calls Better Auth and shows its errors. */
export function Form({
  submit,
  onSubmit,
  onDone,
  danger = false,
  className,
  children,
}: {
  submit: string;
  onSubmit: (values: Record<string, string>) => Promise<Outcome>;
  onDone: (form: HTMLFormElement) => void;
  danger?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const hydrated = useHydrated();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function send(form: HTMLFormElement) {
    setBusy(true);
    setProblem("");
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    const problem = await onSubmit(values).then(
      ({ error }) => error && explain(error),
      () => UNREACHABLE,
    );
    if (problem) {
      setProblem(problem);
      setBusy(false);
    } else {
      onDone(form);
      setBusy(false);
    }
  }

  return (
    <form
      method="post"
      className={cn("grid gap-4", className)}
      onSubmit={(event) => {
        event.preventDefault();
        void send(event.currentTarget);
      }}
    >
      {children}
      <div role="alert" className="empty:absolute">
        {problem && (
          <p className="flex items-start gap-2 rounded-lg bg-danger/10 px-3 py-2 text-danger text-sm">
            <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
            {problem}
          </p>
        )}
      </div>
      <Button type="submit" variant={danger ? "danger" : "primary"} disabled={!hydrated || busy}>
        {busy && <LoaderCircle className="motion-safe:animate-spin" aria-hidden />}
        {submit}
      </Button>
    </form>
  );
}

const UNREACHABLE = "The server can’t be reached. Check your connection and try again.";

function explain({ message, status }: { message?: string | undefined; status: number }): string {
  if (status === 429) return "Too many attempts. Wait a few seconds and try again.";
  if (status >= 500 || !message) return `The server returned an error (${status}). Try again.`;
  const sentence = message.replace(/^\[body\.\w+\] /, ""); // the position in the request
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
