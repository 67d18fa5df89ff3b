import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";

import { Button } from "@/components/ui/button";

export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: string;
  children: ReactNode;
}) {
  const openedFrom = useRef<HTMLElement>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/50" />
        <Radix.Content
          className="fixed top-1/2 left-1/2 z-50 max-h-[90dvh] w-[calc(100%-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-2xl border bg-surface p-6 shadow-xl"
          // Radix only returns the focus to a trigger of its own, and these dialogs have none.
          onOpenAutoFocus={() => {
            openedFrom.current = opener();
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            openedFrom.current?.focus();
          }}
          {...(!description && { "aria-describedby": undefined })}
        >
          <Radix.Title className="pr-10 font-semibold text-lg">{title}</Radix.Title>
          {description && <Radix.Description className="mt-1 text-muted text-sm">{description}</Radix.Description>}
          <div className="mt-4">{children}</div>
          <Radix.Close asChild>
            <Button variant="quiet" size="icon" className="absolute top-4 right-4" aria-label="Close">
              <X />
            </Button>
          </Radix.Close>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The focused element or, since a menu closes on a choice, the button of the menu around it. */
function opener(): HTMLElement | null {
  const menu = document.activeElement?.closest("[role=menu]");
  const button = document.getElementById(menu?.getAttribute("aria-labelledby") ?? "");
  return button ?? (document.activeElement as HTMLElement | null);
}
