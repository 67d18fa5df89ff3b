/**
 * Due dates in the user's time zone. Call these in the browser: a server has another zone and language. A due date is
 * a calendar day ("2026-01-05"), which is the same day everywhere, or an instant ("2026-01-05T16:00:00.000000Z").
 */

export type Inputs = { day: string; time: string };

export const DUE_FILTERS = ["overdue", "today", "week"] as const;
export type DueFilter = (typeof DUE_FILTERS)[number];
type Dated = { dueDate: string | null; completed: boolean };
export type DueQuery = { due_after?: string; due_before?: string; status?: "pending" };

export function isDay(due: string): boolean {
  return !due.includes("T");
}

/** The values of a date and a time input. They have no seconds, so send a due date back only if the user edited it. */
export function toInputs(due: string | null): Inputs {
  if (due === null) return { day: "", time: "" };
  if (isDay(due)) return { day: due, time: "" };
  const instant = new Date(due);
  return { day: localDay(instant), time: `${digits(instant.getHours(), 2)}:${digits(instant.getMinutes(), 2)}` };
}

/**
 * The due date of a date and a time input. Where the clocks change, this follows `Date`: a skipped local time moves
 * an hour later (02:30 becomes 03:30), and a time that happens twice is the first of the two.
 */
export function fromInputs({ day, time }: Inputs): string | null {
  if (!day) return null;
  if (!time) return day;
  const instant = new Date(`${day}T${time}`);
  // Browsers accept a five-digit year. The API refuses it with an error message; toISOString would throw.
  return Number.isNaN(instant.getTime()) ? `${day}T${time}` : instant.toISOString();
}

export function isOverdue(due: string, now: Date): boolean {
  return isDay(due) ? due < localDay(now) : new Date(due) < now;
}

/** "Today", "Tomorrow 17:00", "Mon 5 Jan" or "Tue 5 Jan 2027", as the locale writes it. */
export function describeDue(due: string, now: Date, locale?: string): string {
  const day = toInputs(due).day;
  const words = describeDay(day, localDay(now), locale);
  return isDay(due) ? words : `${words} ${formatters(locale).time.format(new Date(due))}`;
}

/**
 * `query` asks the API for too much, and `matches` picks what is due. The API stores a calendar day as 00:00 UTC and
 * an instant as it is, so no single UTC range covers exactly the user's day for both. Zones are less than a day from
 * UTC, so one day more on either side covers everything, and the query stays the same until the day ends.
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

/** The user's calendar day at an instant. Days with four-digit years sort as strings. */
export function localDay(instant: Date): string {
  return `${digits(instant.getFullYear(), 4)}-${digits(instant.getMonth() + 1, 2)}-${digits(instant.getDate(), 2)}`;
}

function describeDay(day: string, today: string, locale?: string): string {
  const { relative, date, dateWithYear } = formatters(locale);
  const distance = Math.round((Date.parse(day) - Date.parse(today)) / DAY);
  if (Math.abs(distance) <= 1) return capitalize(relative.format(distance, "day"), locale);
  // Date.parse and these formatters both use UTC, because some zones have no midnight on some days.
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

/** Creating a formatter costs about a hundred times as much as using it, and a list formats many dates. */
function formatters(locale?: string): Formatters {
  let cached = cache.get(locale);
  if (!cached) {
    cached = createFormatters(locale);
    cache.set(locale, cached);
  }
  return cached;
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
