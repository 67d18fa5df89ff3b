import { cva, type VariantProps } from "class-variance-authority";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";

import { cn } from "@/lib/utils";

const styles = cva(
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium text-sm transition-colors disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-primary text-on-primary not-disabled:hover:bg-primary/90",
        secondary: "border bg-surface not-disabled:hover:bg-raised",
        quiet: "text-muted not-disabled:hover:bg-raised not-disabled:hover:text-foreground",
        danger: "bg-danger text-on-danger not-disabled:hover:bg-danger/90",
      },
      size: { normal: "h-10 px-4", small: "h-8 px-3", icon: "size-9" },
    },
    defaultVariants: { variant: "secondary", size: "normal" },
  },
);

type Props = ComponentProps<"button"> & VariantProps<typeof styles> & { asChild?: boolean };

export function Button({ asChild, variant, size, className, type = "button", ...props }: Props) {
  const Component = asChild ? Slot.Root : "button";
  return <Component className={cn(styles({ variant, size }), className)} {...(asChild ? {} : { type })} {...props} />;
}
