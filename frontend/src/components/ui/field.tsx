import { type ComponentProps, type ReactNode, useId } from "react";

import { cn } from "@/lib/utils";

const CONTROL =
  "w-full rounded-lg border border-control bg-surface px-3 text-sm pointer-coarse:text-base placeholder:text-muted aria-invalid:border-danger";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input className={cn(CONTROL, "h-10", className)} {...props} />;
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return <textarea className={cn(CONTROL, "min-h-20 py-2", className)} {...props} />;
}

/** The browser's own, which works on every device and with every screen reader. */
export function Select({ className, ...props }: ComponentProps<"select">) {
  return <select className={cn(CONTROL, "h-10 pr-2", className)} {...props} />;
}

type ControlProps = { id: string; "aria-invalid"?: true; "aria-describedby"?: string };

/** A label, a control and its error or hint, linked for assistive technology. */
export function Field({
  label,
  error,
  hint,
  className,
  children,
}: {
  label: string;
  error?: string | undefined;
  hint?: string;
  className?: string;
  children: (control: ControlProps) => ReactNode;
}) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={cn("grid grid-cols-[minmax(0,1fr)] content-start gap-1.5", className)}>
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      {children({
        id,
        ...(error && { "aria-invalid": true as const }),
        ...(note && { "aria-describedby": `${id}-note` }),
      })}
      {note && (
        <p id={`${id}-note`} className={cn("text-sm", error ? "text-danger" : "text-muted")}>
          {note}
        </p>
      )}
    </div>
  );
}
