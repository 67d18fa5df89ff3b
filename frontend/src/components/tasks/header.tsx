import { Keyboard, LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { useTheme } from "next-themes";
import { useState } from "react";
import { toast } from "sonner";

import { Logo } from "@/components/logo";
import { Shortcuts } from "@/components/tasks/shortcuts";
import { StatsChart } from "@/components/tasks/stats-chart";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { signOut } from "@/lib/navigation";

const THEMES = { system: ["light", Monitor], light: ["dark", Sun], dark: ["system", Moon] } as const;

export function Header({ user }: { user: { name: string; email: string } }) {
  const { theme, setTheme } = useTheme();
  const current = theme === "light" || theme === "dark" ? theme : "system";
  const [next, Icon] = THEMES[current];
  const [shortcuts, setShortcuts] = useState(false);
  return (
    <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
      <Logo />
      <StatsChart className="order-last w-full sm:order-none sm:w-auto sm:flex-1" />
      <Menu modal={false}>
        <MenuTrigger asChild>
          <Button variant="quiet" size="small" className="-mr-3 max-w-40" aria-label={`Menu of ${user.name}`}>
            <UserRound />
            <span className="truncate">{user.name}</span>
          </Button>
        </MenuTrigger>
        <MenuContent>
          <p className="truncate px-3 py-2 text-muted text-xs">{user.email}</p>
          <MenuItem asChild>
            {/* A whole page load, which asks first where an editor is open. */}
            <a href="/account">
              <UserRound /> Account
            </a>
          </MenuItem>
          <MenuItem onSelect={() => setShortcuts(true)}>
            <Keyboard /> Keyboard shortcuts
          </MenuItem>
          <MenuItem
            onSelect={(event) => {
              event.preventDefault();
              setTheme(next);
            }}
          >
            <Icon /> Theme: {current}
          </MenuItem>
          <MenuSeparator />
          <MenuItem onSelect={() => void signOut().catch(() => toast.error("You could not be signed out. Try again."))}>
            <LogOut /> Sign out
          </MenuItem>
        </MenuContent>
      </Menu>
      <Shortcuts open={shortcuts} onOpenChange={setShortcuts} />
    </header>
  );
}
