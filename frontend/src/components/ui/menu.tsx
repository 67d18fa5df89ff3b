import { DropdownMenu as Radix } from "radix-ui";
import type { ComponentProps } from "react";

export const Menu = Radix.Root;
export const MenuTrigger = Radix.Trigger;

export function MenuContent(props: ComponentProps<typeof Radix.Content>) {
  return (
    <Radix.Portal>
      <Radix.Content
        align="end"
        sideOffset={6}
        className="z-30 min-w-48 rounded-xl border bg-surface p-1 text-sm shadow-lg"
        {...props}
      />
    </Radix.Portal>
  );
}

const ITEM =
  "flex h-9 cursor-pointer select-none items-center gap-2 rounded-lg px-3 -outline-offset-2 data-[highlighted]:bg-raised [&_svg]:size-4 [&_svg]:text-muted";

export function MenuItem(props: ComponentProps<typeof Radix.Item>) {
  return <Radix.Item className={ITEM} {...props} />;
}

export function MenuSeparator() {
  return <Radix.Separator className="my-1 h-px bg-border" />;
}
