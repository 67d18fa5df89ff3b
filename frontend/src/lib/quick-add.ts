import { casual, type ParsedResult } from "chrono-node/en";
import { localDay } from "@/lib/due";
import { PRIORITIES, type Priority } from "@/lib/filters";

export type Piece = { kind: "due" | "priority" | "category"; text: string; index: number };

export type ParsedTask = {
  title: string;
  priority?: Priority;
  category?: string;
  dueDate?: string;
  pieces: Piece[];
};

/**
 * Parses one line: "Pay rent by Friday 5pm !high #home". The last piece of each kind counts, and the others stay in
 * the title. `keep` holds the texts of pieces (`pieces[].text`) that must stay in the title too.
 */
export function parseQuickAdd(text: string, now: Date, keep: ReadonlySet<string> = new Set()): ParsedTask {
  const priority = findTag("priority", PRIORITY, text, keep);
  const category = findTag("category", CATEGORY, text, keep);
  const due = findDue(hide([priority, category], text), now, keep);
  const pieces = [priority, category, due?.piece].filter((piece) => piece !== undefined);
  const title = pieces.length > 0 ? tidy(cut(pieces, text)) : collapse(text);
  // A line with nothing but "tomorrow" is a title.
  if (title === "") return { title: collapse(text), pieces: [] };

  const level = PRIORITIES.find((each) => each === priority?.text.slice(1).toLowerCase());
  return {
    title,
    ...(level && { priority: level }),
    ...(category && { category: category.text.slice(1) }),
    ...(due && { dueDate: due.value }),
    pieces: pieces.sort((a, b) => a.index - b.index),
  };
}

const PRIORITY = /(?<=^|\s)!(?:high|medium|low)(?=$|\s|[,.;:!?](?:\s|$))/giu;
// At least one letter, because "#1" and "#42" number things. The API accepts up to 50 characters.
const CATEGORY = /(?<=^|\s)#(?=[^\s]*\p{L})[\p{L}\p{M}\p{N}_-]{1,50}(?=$|\s|[,.;:!?](?:\s|$))/gu;

function findTag(kind: Piece["kind"], pattern: RegExp, text: string, keep: ReadonlySet<string>): Piece | undefined {
  return [...text.matchAll(pattern)]
    .map((match) => ({ kind, text: match[0], index: match.index }))
    .findLast((piece) => !keep.has(piece.text));
}

type Components = ParsedResult["start"];
type Due = { piece: Piece; value: string };

function findDue(text: string, now: Date, keep: ReadonlySet<string>): Due | undefined {
  const dues = casual
    .parse(text, now, { forwardDate: true })
    .map((result) => toDue(result, text, now))
    .filter((due) => due !== undefined)
    .filter((due) => !keep.has(due.piece.text));
  return dues.findLast((due) => NAMES_A_DAY.test(due.piece.text)) ?? dues.at(-1);
}

// chrono finds dates almost everywhere ("3 min eggs", "1/2 cup", "May"). Losing a word of the title is worse than having
// to pick a date by hand, so only these forms count. 5/1 does not: it is May in one country and January in another.
const MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?";
const NAMES_A_DAY = new RegExp(
  [
    "\\b(?:today|tonight|tomorrow|tmrw?)\\b",
    "\\bnext (?:week|month)\\b",
    "\\b(?:this|next) weekend\\b",
    "\\bend of (?:the )?(?:month|(?:this|next) (?:week|month))\\b",
    "\\b(?:in|within) .*\\b(?:min(?:ute)?|h(?:ou)?r|day|week|month|year)s?\\b",
    "\\bfrom now$",
    "\\b\\d{4}([-/])\\d{1,2}\\1\\d{1,2}",
    `(?<!\\d)\\d{1,2}(?:st|nd|rd|th)?(?: of)?[ /-]*${MONTH}(?![a-z])|\\b${MONTH} \\d{1,2}(?!\\d)`,
    "\\b(?:mon|tue|wed|thu|thur|thurs|fri|sat|sun)\\b",
    "\\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\\b",
  ].join("|"),
  "i",
);
// A time alone means its next occurrence. "at 5" may be a place or a count, and "3:16" a verse.
const NAMES_A_TIME = /\d\s*[ap]\.?m\b|^at \d{1,2}[:.]\d{2}/i;
const NAMES_THE_PAST = /\b(?:last|past|ago|yesterday)\b/i;
const NOTHING = /^[\s\uFFFC]*$/;
const ALSO_A_WORD = /^(?:sat|sun|wed)\.?$/i;

// After these words a day belongs to a name ("the Monday report", "Good Friday"), repeats ("every Monday"), or is not
// a deadline ("from Monday", "Monday or Tuesday").
const NO_DUE_AFTER =
  /(?:^|\s)(?:the|an?|my|our|your|his|her|their|every|each|last|past|since|from|after|of|about|than|and|or|to|good|black|cyber|easter)\s+$/i;
const ANOTHER_DAY_AFTER = /^\s*(?:,|and|or|&)\s*(?:mon|tue|wed|thu|fri|sat|sun|to(?:day|night|morrow))/i;
// These leave the title together with the date. Before a word such as "tomorrow", "on" belongs to the verb: "Log on".
const LEAD_IN = /(?:^|(?<=\s))(?:(?:due(?:\s+(?:by|on))?|by|for|until|till|before)\s+|@\s*)$/i;
const LEAD_IN_OF_NUMBER = /(?:^|(?<=\s))(?:(?:due|by|for)\s+)?on\s+$/i;

function toDue(result: ParsedResult, text: string, now: Date): Due | undefined {
  const { index, words } = trim(result);
  const start = index - leadIn(text.slice(0, index), words).length;
  const after = text.slice(index + words.length);
  if (result.end || !standsAlone(text, start, index + words.length)) return undefined;
  if (NO_DUE_AFTER.test(text.slice(0, start)) || ANOTHER_DAY_AFTER.test(after)) return undefined;
  if (NAMES_THE_PAST.test(words) || !(NAMES_A_DAY.test(words) || NAMES_A_TIME.test(words))) return undefined;
  // "sun hats", "Sat Nav": an abbreviated day that is also a word counts only after "by" or at the end of the line.
  if (ALSO_A_WORD.test(words) && start === index && !NOTHING.test(after)) return undefined;

  const value = resolve(words, now);
  if (!value) return undefined;
  return { piece: { kind: "due", text: text.slice(start, index + words.length), index: start }, value };
}

/** Drops what chrono matches too much: punctuation, "get" as Georgia's time zone, "tomorrow 12" eggs, Catch "22 tomorrow". */
function trim({ index, text, start }: ParsedResult): { index: number; words: string } {
  let words = text.replace(/[\s,)]+$/, "");
  if (start.isCertain("timezoneOffset") && !start.tags().has("result/relativeDateAndTime")) {
    words = words.replace(start.isCertain("hour") ? /\s+(?![A-Z]+$)[A-Za-z]{2,4}$/ : /\s+[A-Za-z]{2,4}$/, "");
  }
  if (start.isCertain("hour")) words = words.replace(/(?<!\bat)[\s,]+\d{1,2}$/i, "");
  const lead = LEADING_NUMBER.exec(words)?.[0].length ?? 0;
  return { index: index + lead, words: words.slice(lead) };
}

const LEADING_NUMBER =
  /^[\s,(]*(?:\d{1,2}(?:\.\d{2})?[\s,]+(?=(?:on |next |this )?(?:to|tmr|mon|tue|wed|thu|fri|sat|sun)))?/i;

function leadIn(before: string, words: string): string {
  const number = /^\d/.test(words) ? LEAD_IN_OF_NUMBER.exec(before) : null;
  return (number ?? LEAD_IN.exec(before))?.[0] ?? "";
}

function standsAlone(text: string, start: number, end: number): boolean {
  return /(?:^|[\s(])$/.test(text.slice(0, start)) && /^(?:$|\s|[,.;:!?)]+(?:\s|$))/.test(text.slice(end));
}

// "Tomorrow at 5" means the afternoon; "05:00" and "5am" mean the morning.
const AFTERNOON = /(?<![\d:.-])(?:(?<=\bat\s+)[1-6](?:[:.]\d\d)?|[1-6]:\d\d)(?![\d:.])/i;

function resolve(words: string, now: Date): string | undefined {
  const start = parseOne(words, now);
  if (!start) return undefined;
  const timed = start.isCertain("hour");
  // A day is parsed as of midnight: in the afternoon of that day chrono moves "Monday" a week and "5 January" a year
  // ahead.
  const parsed = timed ? parseOne(withMeridiem(words, start), now) : parseOne(words, midnight(now));
  const date = parsed && toDate(parsed);
  if (!date || localDay(date) < localDay(now)) return undefined;
  return timed ? date.toISOString() : localDay(date);
}

/** To the minute. Without a named zone, chrono's `date()` may apply today's UTC offset to a day with another offset. */
function toDate(start: Components): Date {
  if (start.isCertain("timezoneOffset")) return new Date(start.date().setSeconds(0, 0));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = PARTS.map((part) => start.get(part) ?? 0);
  return new Date(year, month - 1, day, hour, minute);
}

const PARTS = ["year", "month", "day", "hour", "minute"] as const;

function parseOne(words: string, now: Date): Components | undefined {
  return casual.parse(words, now, { forwardDate: true })[0]?.start;
}

function withMeridiem(words: string, start: Components): string {
  return start.isCertain("meridiem") || /morning/i.test(words) ? words : words.replace(AFTERNOON, "$&pm");
}

function midnight(now: Date): Date {
  return new Date(new Date(now).setHours(0, 0, 0, 0));
}

/** Blanks out other pieces without moving the rest: "sat" then ends the line "Swim sat !high". */
function hide(pieces: (Piece | undefined)[], text: string): string {
  return pieces
    .filter((piece) => piece !== undefined)
    .reduce((rest, { index, text: { length } }) => replaceAt(rest, index, length, "\uFFFC".repeat(length)), text);
}

function cut(pieces: Piece[], text: string): string {
  return pieces
    .toSorted((a, b) => b.index - a.index)
    .reduce((rest, piece) => replaceAt(rest, piece.index, piece.text.length, " "), text);
}

function replaceAt(text: string, index: number, length: number, replacement: string): string {
  return text.slice(0, index) + replacement + text.slice(index + length);
}

/** Removes the punctuation around a cut piece: "Tomorrow: call mum", "Call mum - Friday", "Call mum (Friday)". */
function tidy(title: string): string {
  return collapse(title.replace(/\(\s*\)/g, " "))
    .replace(/\s+(?=[,.;:!?](?:\s|$))/g, "")
    .replace(/^(?:[,.;:–—-]+(?:\s+|$))+/, "")
    .replace(/(?:[,;:]|(?:^|\s)[–—-])+(\.?)$/, "$1")
    .trim();
}

function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
