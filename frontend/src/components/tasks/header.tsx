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
  const [nextTheme, Icon] = THEMES[current];
  const [showsShortcuts, setShowsShortcuts] = useState(false);
  return (
    <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
      <Logo />
      <StatsChart className="order-last w-full sm:order-none sm:w-auto sm:flex-1" />
      <Menu modal={false}>
        <MenuTrigger asChild>
          <Button variant="quiet" size="small" className="-mr-3 max-w-40" aria-label={`Account menu: ${user.name}`}>
            <UserRound />
            <span className="truncate">{user.name}</span>
          </Button>
        </MenuTrigger>
        <MenuContent>
          <p className="truncate px-3 py-2 text-muted text-xs">{user.email}</p>
          <MenuItem asChild>
            {/* A full page load, so that the browser warns about an open editor. */}
            <a href="/account">
              <UserRound /> Account
            </a>
          </MenuItem>
          <MenuItem onSelect={() => setShowsShortcuts(true)}>
            <Keyboard /> Keyboard shortcuts
          </MenuItem>
          <MenuItem
            onSelect={(event) => {
              event.preventDefault();
              setTheme(nextTheme);
            }}
          >
            <Icon /> Theme: {current}
          </MenuItem>
          <MenuSeparator />
          <MenuItem onSelect={() => void signOut().catch(() => toast.error("Couldn’t sign out. Try again."))}>
            <LogOut /> Sign out
          </MenuItem>
        </MenuContent>
      </Menu>
      <Shortcuts open={showsShortcuts} onOpenChange={setShowsShortcuts} />
    </header>
  );
}
