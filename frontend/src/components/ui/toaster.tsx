"use client";

import { useTheme } from "next-themes";
import type { CSSProperties } from "react";
import { Toaster as Sonner } from "sonner";

const STYLE = {
  fontFamily: "inherit",
  "--normal-bg": "var(--surface)",
  "--normal-border": "var(--control)",
  "--normal-text": "var(--foreground)",
  "--border-radius": "0.75rem",
} as CSSProperties;

export function Toaster() {
  const { theme } = useTheme();
  return (
    <Sonner
      theme={theme === "light" || theme === "dark" ? theme : "system"}
      position="bottom-center"
      style={STYLE}
      toastOptions={{ style: { fontSize: "0.8125rem" } }} // its default is in pixels, which ignores the user's font size
    />
  );
}
