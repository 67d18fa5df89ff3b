import { type ClassValue, clsx } from "clsx";
import { twMerge } from "tailwind-merge";

export function cn(...classes: ClassValue[]): string {
  return twMerge(clsx(classes));
}

/** The first characters of a text, where the whole text would fill the page. */
export function shorten(text: string, maxLength = 80): string {
  const characters = [...text]; // whole code points, never half of a surrogate pair
  return characters.length > maxLength ? `${characters.slice(0, maxLength - 1).join("")}…` : text;
}
