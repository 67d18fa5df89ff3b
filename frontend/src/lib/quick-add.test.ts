import { describe, expect, it } from "vitest";
import { fromInputs } from "@/lib/due";
import { parseQuickAdd } from "@/lib/quick-add";

/** A Monday afternoon in every zone. */
const NOW = new Date(2026, 0, 5, 15, 0);

const parse = (text: string, keep: string[] = []) => parseQuickAdd(text, NOW, new Set(keep));
const at = (day: string, time: string) => fromInputs({ day, time });

describe("a day", () => {
  it.each([
    ["Call mum today", "2026-01-05"],
    ["Call mum tonight", "2026-01-05"],
    ["Call mum tomorrow", "2026-01-06"],
    ["Call mum TOMORROW!", "2026-01-06", "Call mum!"],
    ["Call mum tomorrow morning", "2026-01-06"],
    ["Call mum monday", "2026-01-05"],
    ["Call mum on Friday", "2026-01-09"],
    ["Call mum by fri", "2026-01-09"],
    ["Call mum sat", "2026-01-10"],
    ["Call mum sat !low #home", "2026-01-10"],
    ["Call mum by sat with Bob", "2026-01-10", "Call mum with Bob"],
    ["Call mum by sun", "2026-01-11"],
    ["Call mum this weekend", "2026-01-10"],
    ["Call mum next friday", "2026-01-16"],
    ["Call mum next week", "2026-01-12"],
    ["Call mum next month", "2026-02-05"],
    ["Call mum end of the month", "2026-01-31"],
    ["Call mum in 3 days", "2026-01-08"],
    ["Call mum within a week", "2026-01-12"],
    ["Call mum 2 days from now", "2026-01-07"],
    ["Call mum 5 Jan", "2026-01-05"],
    ["Call mum on 4 January", "2027-01-04"],
    ["Call mum Feb 3rd", "2026-02-03"],
    ["Call mum 3rd of feb 2027", "2027-02-03"],
    ["Call mum on 2026-02-03", "2026-02-03"],
    ["Call mum due by friday 13 february", "2026-02-13"],
  ])("%s", (text, dueDate, title = "Call mum") => {
    expect(parse(text)).toMatchObject({ title, dueDate });
  });

  it("is the same at every hour", () => {
    const days = [0, 9, 15, 23].map((hour) => parseQuickAdd("Swim Monday", new Date(2026, 0, 5, hour, 59)).dueDate);

    expect(days).toEqual(Array(4).fill("2026-01-05"));
  });

  it("is right on every day of two years", () => {
    for (let day = 0; day < 730; day++) {
      const now = new Date(2026, 0, 1 + day, 22, 30);
      const [today, tomorrow] = [0, 1].map((more) => isoDay(new Date(2026, 0, 1 + day + more, 12)));

      expect(parseQuickAdd("Swim today", now).dueDate).toBe(today);
      expect(parseQuickAdd("Swim tomorrow", now).dueDate).toBe(tomorrow);
      expect(parseQuickAdd("Swim in 1 day", now).dueDate).toBe(tomorrow);
      expect(parseQuickAdd("Swim in 1 week", now).dueDate).toBe(isoDay(new Date(2026, 0, 8 + day, 12)));
      for (const words of ["tomorrow at 16:00", "in 1 day at 16:00", "tomorrow at 4"]) {
        expect(parseQuickAdd(`Swim ${words}`, now).dueDate).toBe(new Date(2026, 0, 2 + day, 16).toISOString());
      }
      expect(parseQuickAdd("Swim in 6 hours", now).dueDate).toBe(new Date(now.getTime() + 6 * 3_600_000).toISOString());
      expect(parseQuickAdd(`Swim ${tomorrow}`, now).dueDate).toBe(tomorrow);
    }
  });
});

describe("a time", () => {
  it.each([
    ["Call mum tomorrow at 5pm", "2026-01-06", "17:00"],
    ["Call mum tomorrow 17:30", "2026-01-06", "17:30"],
    ["Call mum tomorrow at 5", "2026-01-06", "17:00"],
    ["Call mum tomorrow 5:30", "2026-01-06", "17:30"],
    ["Call mum tomorrow 05:30", "2026-01-06", "05:30"],
    ["Call mum tomorrow at 5am", "2026-01-06", "05:00"],
    ["Call mum tomorrow at 5 in the morning", "2026-01-06", "05:00"],
    ["Call mum tomorrow morning at 6", "2026-01-06", "06:00"],
    ["Call mum tomorrow at 9", "2026-01-06", "09:00"],
    ["Call mum tomorrow noon", "2026-01-06", "12:00"],
    ["Call mum tonight at 8", "2026-01-05", "20:00"],
    ["Call mum by friday 5pm", "2026-01-09", "17:00"],
    ["Call mum monday at 9am", "2026-01-12", "09:00"],
    ["Call mum 5pm", "2026-01-05", "17:00"],
    ["Call mum at 2pm", "2026-01-06", "14:00"],
    ["Call mum at 5:30", "2026-01-05", "17:30"],
    ["Call mum at 17:00", "2026-01-05", "17:00"],
    ["Call mum in 2 hours", "2026-01-05", "17:00"],
    ["Call mum 2 hours from now", "2026-01-05", "17:00"],
    ["Call mum in 45 min", "2026-01-05", "15:45"],
  ])("%s", (text, day, time) => {
    expect(parse(text)).toMatchObject({ title: "Call mum", dueDate: at(day, time) });
  });

  it("uses a named zone", () => {
    expect(parse("Call mum 2026-02-03 5pm EST")).toMatchObject({
      title: "Call mum",
      dueDate: "2026-02-03T22:00:00.000Z",
    });
    expect(parse("Call mum 2026-02-03 5pm UTC")).toMatchObject({
      title: "Call mum",
      dueDate: "2026-02-03T17:00:00.000Z",
    });
  });

  it("does not mistake the next word for a zone", () => {
    expect(parse("Tomorrow 5pm get milk")).toMatchObject({ title: "get milk", dueDate: at("2026-01-06", "17:00") });
    expect(parse("Friday ART class")).toMatchObject({ title: "ART class", dueDate: "2026-01-09" });
  });

  it("does not mistake the next number for an hour", () => {
    expect(parse("Buy tomorrow 12 eggs")).toMatchObject({ title: "Buy 12 eggs", dueDate: "2026-01-06" });
    expect(parse("Read Catch 22 tomorrow")).toMatchObject({ title: "Read Catch 22", dueDate: "2026-01-06" });
    expect(parse("Pay 17.50 on friday")).toMatchObject({ title: "Pay 17.50", dueDate: "2026-01-09" });
  });

  it("drops the seconds of now", () => {
    const due = parseQuickAdd("Tea in 5 minutes", new Date(2026, 0, 5, 15, 0, 42, 7)).dueDate;

    expect(due).toBe(at("2026-01-05", "15:05"));
  });

  it("that the clocks skip follows Date", () => {
    const due = parseQuickAdd("Swim tomorrow at 02:30", new Date(2026, 2, 28, 12)).dueDate;

    expect(due).toBe(new Date(2026, 2, 29, 2, 30).toISOString());
  });
});

describe("words that are not a due date", () => {
  it.each([
    "Read 1984",
    "May report",
    "May 2026 report",
    "Buy 2 sun hats",
    "Sun cream",
    "Call Sat Nav Inc",
    "Enjoy the sun",
    "Meet at 5 with 3 people",
    "Learn John 3:16",
    "Add 1/2 cup of milk",
    "Pay 5/1",
    "Boil 3 min eggs",
    "Rent a car for 2 weeks",
    "High noon",
    "Swim in 5m pool",
    "The first may be wrong",
    "Fix the Monday report",
    "Plan Good Friday",
    "Gym every Monday",
    "Holiday from Friday",
    "Holiday Monday to Friday",
    "Gym tuesday, wednesday and friday",
    "Meet 5pm-6pm",
    "Type the minutes last Friday",
    "Write up yesterday",
    "Read today's news",
    "Read 'Tomorrow and tomorrow'",
    "Do it now",
    "Weekend trip",
    "Plan next year",
    "File the 2025-12-31 invoice",
    "File 2025-12-31",
    "File 3 Jan 2025 5pm",
    "Release v2026-02-03",
    "#1 issue !important C# #42",
  ])("%s", (text) => {
    expect(parse(text)).toEqual({ title: text, pieces: [] });
  });
});

describe("priority and category", () => {
  it("are taken out of the title", () => {
    expect(parse("Pay rent by Friday !HIGH #Home")).toEqual({
      title: "Pay rent",
      priority: "high",
      category: "Home",
      dueDate: "2026-01-09",
      pieces: [
        { kind: "due", text: "by Friday", index: 9 },
        { kind: "priority", text: "!HIGH", index: 19 },
        { kind: "category", text: "#Home", index: 25 },
      ],
    });
  });

  it.each(["high", "medium", "low"])("!%s", (priority) => {
    expect(parse(`Swim !${priority}`)).toMatchObject({ title: "Swim", priority });
  });

  it("are the last of their kind, and the others stay", () => {
    expect(parse("Swim !low #a !high #b")).toMatchObject({ title: "Swim !low #a", priority: "high", category: "b" });
  });

  it.each(["!highest", "a!high", "wow!low", "a#b", "#", "##a", `#${"x".repeat(51)}`])("%s is a word", (word) => {
    expect(parse(`Swim ${word}`)).toEqual({ title: `Swim ${word}`, pieces: [] });
  });

  it.each(["#übung", "#घर", "#to-do_2", `#${"𝒙".repeat(50)}`])("%s is a category", (word) => {
    expect(parse(`Swim ${word}`)).toMatchObject({ title: "Swim", category: word.slice(1) });
  });

  it("take precedence over a day in the same word", () => {
    expect(parse("Swim #monday")).toMatchObject({ title: "Swim", category: "monday" });
    expect(parse("Swim #monday")).not.toHaveProperty("dueDate");
  });
});

describe("the title", () => {
  it.each([
    ["Tomorrow: call mum", "call mum"],
    ["Call mum - Friday", "Call mum"],
    ["Call mum (Friday)", "Call mum"],
    ["Call mum, friday, !high", "Call mum"],
    ["  Call   tomorrow   mum ", "Call mum"],
    ["Call mum: friday.", "Call mum."],
    ["Call mum @ 5pm", "Call mum"],
    ["Log on tomorrow", "Log on"],
    ["Get at least a B- tomorrow", "Get at least a B-"],
  ])("%s", (text, title) => {
    expect(parse(text).title).toBe(title);
  });

  it.each(["tomorrow", "!high #home", " tomorrow,  5pm ", "- friday"])("keeps all of %j", (text) => {
    expect(parse(text)).toEqual({ title: text.trim().replace(/\s+/g, " "), pieces: [] });
  });

  it("is not truncated", () => {
    const long = "word ".repeat(100).trim();

    expect(parse(`${long} tomorrow`).title).toBe(long);
  });

  it("prefers a day to a time, and the last day to an earlier one", () => {
    expect(parse("Friday: call Bob before 4pm").dueDate).toBe("2026-01-09");
    expect(parse("Plan Friday party tomorrow")).toMatchObject({ title: "Plan Friday party", dueDate: "2026-01-06" });
  });
});

describe("a piece to keep", () => {
  const line = "Pay rent by Friday !high #home";

  it("stays in the title on its own", () => {
    for (const piece of parse(line).pieces) {
      const kept = parse(line, [piece.text]);

      expect(kept.title).toBe(`Pay rent ${piece.text}`);
      expect(kept.pieces.map(({ kind }) => kind)).not.toContain(piece.kind);
      expect(kept.pieces).toHaveLength(2);
    }
  });

  it("stays in the title with all the others", () => {
    const keep = parse(line).pieces.map((piece) => piece.text);

    expect(parse(line, keep)).toEqual({ title: line, pieces: [] });
  });

  it("makes an earlier one of its kind count", () => {
    expect(parse("Plan Friday party tomorrow", ["tomorrow"])).toMatchObject({
      title: "Plan party tomorrow",
      dueDate: "2026-01-09",
    });
  });
});

it("returns the position of each piece", () => {
  for (const text of ["A 😀 by fri 5pm #b !low", "x, (tomorrow at 5) !high", "due on 5 jan: pay #rent"]) {
    for (const piece of parse(text).pieces) {
      expect(text.slice(piece.index, piece.index + piece.text.length)).toBe(piece.text);
    }
  }
});

it("reads a long paste in reasonable time", () => {
  const start = performance.now();

  parse("5 jan tomorrow !high #home ".repeat(400));

  expect(performance.now() - start).toBeLessThan(2000);
});

function isoDay(date: Date): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
