import { type ClassValue, clsx } from "clsx";
import { twMerge } from "tailwind-merge";

export function cn(...classes: ClassValue[]): string {
  return twMerge(clsx(classes));
}

/** The beginning of a text, for where the whole would cover the page. */
export function shorten(text: string, most = 80): string {
  const characters = [...text]; // and no half ones
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}
