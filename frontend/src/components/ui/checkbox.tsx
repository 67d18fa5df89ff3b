import { Check } from "lucide-react";
import { Checkbox as Radix } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/utils";

export function Checkbox({ className, ...props }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      className={cn(
        "grid size-6 shrink-0 place-items-center rounded-full border-2 border-control transition-colors hover:border-primary data-[state=checked]:border-primary data-[state=checked]:bg-primary",
        className,
      )}
      {...props}
    >
      <Radix.Indicator className="text-on-primary">
        <Check className="size-3.5" strokeWidth={3.5} />
      </Radix.Indicator>
    </Radix.Root>
  );
}
