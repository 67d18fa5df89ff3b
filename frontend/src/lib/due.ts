/**
 * Due dates in the reader's own time zone, which is the runtime's: call these in the browser, since a server's zone
 * and language are not the reader's. A due date is a calendar day ("2026-01-05"), the same day wherever it is read,
 * or an instant ("2026-01-05T16:00:00.000000Z").
 */

export type Inputs = { day: string; time: string };

export const DUE_FILTERS = ["overdue", "today", "week"] as const;
export type DueFilter = (typeof DUE_FILTERS)[number];
type Dated = { dueDate: string | null; completed: boolean };
export type DueQuery = { due_after?: string; due_before?: string; status?: "pending" };

export function isDay(due: string): boolean {
  return !due.includes("T");
}

/** The values of a date and a time input. Seconds are not shown, so send a due date back only when it was edited. */
export function toInputs(due: string | null): Inputs {
  if (due === null) return { day: "", time: "" };
  if (isDay(due)) return { day: due, time: "" };
  const instant = new Date(due);
  return { day: localDay(instant), time: `${digits(instant.getHours(), 2)}:${digits(instant.getMinutes(), 2)}` };
}

/**
 * Where a change of the clocks skips a local time, it is read as `Date` reads it, the skipped hour later (02:30 as
 * 03:30); of a time that happens twice the first is taken.
 */
export function fromInputs({ day, time }: Inputs): string | null {
  if (!day) return null;
  if (!time) return day;
  const instant = new Date(`${day}T${time}`);
  // Browsers let a year of five digits be typed. The API refuses it with a sentence; toISOString would throw.
  return Number.isNaN(instant.getTime()) ? `${day}T${time}` : instant.toISOString();
}

export function isOverdue(due: string, now: Date): boolean {
  return isDay(due) ? due < localDay(now) : new Date(due) < now;
}

/** "Today", "Tomorrow 17:00", "Mon 5 Jan", "Tue 5 Jan 2027", as the locale writes them. */
export function describeDue(due: string, now: Date, locale?: string): string {
  const day = toInputs(due).day;
  const words = describeDay(day, localDay(now), locale);
  return isDay(due) ? words : `${words} ${formatters(locale).time.format(new Date(due))}`;
}

/**
 * `query` asks the API for more than is due, and `matches` picks what is. The API keeps a calendar day at 00:00 UTC
 * and an instant where it is, so no one range of UTC holds exactly a reader's day of both. No zone is a whole day
 * away from UTC: a day more on either side holds everything, and stays the same query until the day ends.
 */
export function dueFilter(filter: DueFilter, now: Date): { query: DueQuery; matches(task: Dated): boolean } {
  const today = localDay(now);
  if (filter === "overdue") {
    return {
      query: { due_before: addDays(today, 2), status: "pending" },
      matches: ({ dueDate, completed }) => dueDate !== null && !completed && isOverdue(dueDate, now),
    };
  }
  const end = addDays(today, filter === "today" ? 1 : 7);
  return {
    query: { due_after: addDays(today, -1), due_before: addDays(end, 1) },
    matches: ({ dueDate }) => dueDate !== null && isWithin(toInputs(dueDate).day, today, end),
  };
}

/** The calendar day that it is for the reader. Days of four-digit years sort as strings. */
export function localDay(instant: Date): string {
  return `${digits(instant.getFullYear(), 4)}-${digits(instant.getMonth() + 1, 2)}-${digits(instant.getDate(), 2)}`;
}

function describeDay(day: string, today: string, locale?: string): string {
  const { relative, date, dateWithYear } = formatters(locale);
  const distance = Math.round((Date.parse(day) - Date.parse(today)) / DAY);
  if (Math.abs(distance) <= 1) return capitalize(relative.format(distance, "day"), locale);
  // Date.parse and these formatters both take a day as UTC: a local midnight does not exist everywhere on every day.
  return (day.slice(0, 4) === today.slice(0, 4) ? date : dateWithYear).format(Date.parse(day));
}

const DAY = 24 * 60 * 60 * 1000;

function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

function isWithin(day: string, start: string, end: string): boolean {
  return day >= start && day < end;
}

function digits(number: number, length: number): string {
  return String(number).padStart(length, "0");
}

function capitalize(text: string, locale?: string): string {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}

type Formatters = ReturnType<typeof createFormatters>;
const cache = new Map<string | undefined, Formatters>();

/** Making a formatter costs some hundred times as much as using one, and a list describes many dates. */
function formatters(locale?: string): Formatters {
  let found = cache.get(locale);
  if (!found) {
    found = createFormatters(locale);
    cache.set(locale, found);
  }
  return found;
}

function createFormatters(locale?: string) {
  const day = { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" } as const;
  return {
    relative: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
    date: new Intl.DateTimeFormat(locale, day),
    dateWithYear: new Intl.DateTimeFormat(locale, { ...day, year: "numeric" }),
    time: new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" }),
  };
}
