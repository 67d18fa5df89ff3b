import { describe, expect, it } from "vitest";
import { DUE_FILTERS, type DueFilter, describeDue, dueFilter, fromInputs, isDay, isOverdue, toInputs } from "@/lib/due";

const ZONES = ["Pacific/Pago_Pago", "UTC", "Europe/Berlin", "Pacific/Kiritimati"] as const;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone as (typeof ZONES)[number];

it("runs in the zone of its project", () => {
  expect(zone).toBe(process.env.TZ);
  expect(ZONES).toContain(zone);
  // 20:30 UTC is a different day or hour in each of them.
  expect(toInputs("2026-01-05T20:30:00.000000Z")).toEqual(
    {
      "Pacific/Pago_Pago": { day: "2026-01-05", time: "09:30" },
      UTC: { day: "2026-01-05", time: "20:30" },
      "Europe/Berlin": { day: "2026-01-05", time: "21:30" },
      "Pacific/Kiritimati": { day: "2026-01-06", time: "10:30" },
    }[zone],
  );
});

describe("inputs", () => {
  it("are empty without a due date", () => {
    expect(toInputs(null)).toEqual({ day: "", time: "" });
    expect(fromInputs({ day: "", time: "" })).toBeNull();
    expect(fromInputs({ day: "", time: "10:00" })).toBeNull();
  });

  it("never shift a day", () => {
    for (const day of days("2024-01-01", 366 * 4)) {
      expect(toInputs(day)).toEqual({ day, time: "" });
      expect(fromInputs({ day, time: "" })).toBe(day);
      expect(isDay(day)).toBe(true);
    }
  });

  it("give an instant back unchanged, on every day of four years", () => {
    for (const day of days("2024-01-01", 366 * 4)) {
      for (const time of ["00:00", "00:01", "03:00", "12:00", "16:45", "23:59"]) {
        const due = fromInputs({ day, time }) ?? "";

        expect(due).toMatch(/Z$/);
        expect(isDay(due)).toBe(false);
        expect(toInputs(due)).toEqual({ day, time });
      }
    }
  });

  it("keep the instants of the API", () => {
    for (const due of instants("2026-03-27", 24 * 5).map((instant) => instant.replace("Z", "000Z"))) {
      const roundTripped = fromInputs(toInputs(due)) ?? "";
      // An hour that happens twice would become the first of the two; none of these hours does.
      expect(Date.parse(roundTripped)).toBe(Date.parse(due));
    }
  });

  it("move a time that the clocks skip, and pick the first of a time that happens twice", () => {
    const skipped = {
      "Pacific/Pago_Pago": "2026-03-29T13:30:00.000Z",
      UTC: "2026-03-29T02:30:00.000Z",
      "Europe/Berlin": "2026-03-29T01:30:00.000Z",
      "Pacific/Kiritimati": "2026-03-28T12:30:00.000Z",
    }[zone];
    const twice = {
      "Pacific/Pago_Pago": "2026-10-25T13:30:00.000Z",
      UTC: "2026-10-25T02:30:00.000Z",
      "Europe/Berlin": "2026-10-25T00:30:00.000Z",
      "Pacific/Kiritimati": "2026-10-24T12:30:00.000Z",
    }[zone];

    expect(fromInputs({ day: "2026-03-29", time: "02:30" })).toBe(skipped);
    expect(toInputs(skipped).time).toBe(zone === "Europe/Berlin" ? "03:30" : "02:30");
    expect(fromInputs({ day: "2026-10-25", time: "02:30" })).toBe(twice);
  });

  it("leave an impossible day to the API", () => {
    expect(fromInputs({ day: "20261-01-05", time: "10:00" })).toBe("20261-01-05T10:00");
  });

  it("keep the four digits of an early year", () => {
    expect(toInputs(new Date("0050-06-05T12:00").toISOString())).toEqual({ day: "0050-06-05", time: "12:00" });
  });
});

describe("isOverdue", () => {
  it("is an instant that has passed", () => {
    const due = "2026-01-05T16:00:00.000000Z";

    expect(isOverdue(due, new Date("2026-01-05T15:59:59.999Z"))).toBe(false);
    expect(isOverdue(due, new Date("2026-01-05T16:00:00.000Z"))).toBe(false);
    expect(isOverdue(due, new Date("2026-01-05T16:00:00.001Z"))).toBe(true);
  });

  it("is a day that has ended in the user's zone", () => {
    for (const [n, day] of days("2026-01-01", 365).entries()) {
      expect(isOverdue(day, new Date(2026, 0, 1 + n))).toBe(false);
      expect(isOverdue(day, new Date(2026, 0, 1 + n, 23, 59, 59, 999))).toBe(false);
      expect(isOverdue(day, new Date(2026, 0, 2 + n))).toBe(true);
    }
  });
});

describe("describeDue", () => {
  const now = new Date(2026, 0, 5, 23, 30);

  it.each([
    ["2026-01-04", "Yesterday"],
    ["2026-01-05", "Today"],
    ["2026-01-06", "Tomorrow"],
    ["2026-01-07", "Wed 7 Jan"],
    ["2026-01-03", "Sat 3 Jan"],
    ["2027-01-05", "Tue 5 Jan 2027"],
    ["2025-12-31", "Wed 31 Dec 2025"],
  ])("%s is %s", (due, words) => {
    expect(plain(describeDue(due, now, "en-GB"))).toBe(words);
  });

  it("adds the time of an instant, as the locale writes it", () => {
    const today = fromInputs({ day: "2026-01-05", time: "17:00" }) ?? "";
    const later = fromInputs({ day: "2026-01-08", time: "00:05" }) ?? "";

    expect(describeDue(today, now, "en-GB")).toBe("Today 17:00");
    expect(plain(describeDue(today, now, "en-US"))).toBe("Today 5:00 PM");
    expect(describeDue(today, now, "de")).toBe("Heute 17:00");
    expect(plain(describeDue(later, now, "en-GB"))).toMatch(/^Thu 8 Jan 0?0:05$/);
  });

  it("says today all day, even when the clocks change", () => {
    for (const day of ["2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-10-26"]) {
      const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
      for (let hour = 0; hour < 24; hour++) {
        const now = new Date(year, month - 1, date, hour, 59);

        expect(describeDue(day, now, "en")).toBe("Today");
        expect(describeDue(shift(day, 1), now, "en")).toBe("Tomorrow");
        expect(describeDue(shift(day, -1), now, "en")).toBe("Yesterday");
        expect(describeDue(now.toISOString(), new Date(year, month - 1, date), "en")).toMatch(/^Today /);
      }
    }
  });

  it("uses the user's language without a locale", () => {
    expect(describeDue("2026-01-05", now)).not.toBe("");
  });
});

describe("dueFilter", () => {
  /** The definition, in the user's zone and with Date alone. */
  function isDue(filter: DueFilter, due: string, now: Date): boolean {
    const [year = 0, month = 0, date = 0] = due.slice(0, 10).split("-").map(Number);
    const start = isDay(due) ? new Date(year, month - 1, date) : new Date(due);
    const midnight = (more: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + more);
    if (filter === "overdue") return isDay(due) ? start < midnight(0) : start < now;
    return start >= midnight(0) && start < midnight(filter === "today" ? 1 : 7);
  }

  /** Whether the API would return it for `due_after` and `due_before`. */
  function isReturned({ due_after, due_before }: { due_after?: string; due_before?: string }, due: string): boolean {
    const stored = Date.parse(due);
    return (!due_after || stored >= Date.parse(due_after)) && (!due_before || stored < Date.parse(due_before));
  }

  it.each(DUE_FILTERS)("%s matches by definition, and its query misses none", (filter) => {
    for (const middle of ["2026-01-05", "2026-03-29", "2026-10-25", "2026-12-31"]) {
      const dues = [...days(shift(middle, -10), 21), ...instants(shift(middle, -10), 24 * 21)];
      for (const now of instants(shift(middle, -1), 72).map((instant) => new Date(instant))) {
        const { query, matches } = dueFilter(filter, now);
        const due = dues.filter((each) => isDue(filter, each, now));

        expect(dues.filter((dueDate) => matches({ dueDate, completed: false }))).toEqual(due);
        expect(due.filter((each) => isReturned(query, each))).toEqual(due);
      }
    }
  });

  it.each(DUE_FILTERS)("%s never matches a task without a due date", (filter) => {
    expect(dueFilter(filter, new Date()).matches({ dueDate: null, completed: false })).toBe(false);
  });

  it.each(DUE_FILTERS)("%s matches completed tasks, unless it is overdue", (filter) => {
    const now = new Date(2026, 0, 5, 12);
    const dueDate = filter === "overdue" ? "2026-01-04" : "2026-01-05";

    expect(dueFilter(filter, now).matches({ dueDate, completed: false })).toBe(true);
    expect(dueFilter(filter, now).matches({ dueDate, completed: true })).toBe(filter !== "overdue");
  });

  it("queries little more than it needs", () => {
    const now = new Date(2026, 0, 5, 12);

    expect(dueFilter("overdue", now).query).toEqual({ due_before: "2026-01-07", status: "pending" });
    expect(dueFilter("today", now).query).toEqual({ due_after: "2026-01-04", due_before: "2026-01-07" });
    expect(dueFilter("week", now).query).toEqual({ due_after: "2026-01-04", due_before: "2026-01-13" });
  });

  it.each(DUE_FILTERS)("%s has the same query all day", (filter) => {
    const queries = [0, 8, 16, 23].map((hour) => dueFilter(filter, new Date(2026, 2, 29, hour, 59)).query);

    expect(new Set(queries.map((query) => JSON.stringify(query))).size).toBe(1);
  });
});

function days(first: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => shift(first, n));
}

function instants(first: string, hours: number): string[] {
  return Array.from({ length: hours }, (_, n) => new Date(Date.parse(first) + n * 3_600_000).toISOString());
}

function shift(day: string, by: number): string {
  return new Date(Date.parse(day) + by * 86_400_000).toISOString().slice(0, 10);
}

/** ICU's commas and narrow spaces change between releases. */
function plain(text: string): string {
  return text.replace(/,/g, "").replace(/\s/g, " ");
}
