import type { Page } from "@playwright/test";

import { expect, test } from "./fixtures";
import { Screen } from "./screen";

// Both ends of the world, where a shifted day shows at any hour.
const ZONES = { "Pacific/Pago_Pago": -11, UTC: 0, "Pacific/Kiritimati": 14 };
const NAMES = Object.keys(ZONES);

const localDay = (page: Page) => page.evaluate(() => new Intl.DateTimeFormat("sv-SE").format(new Date()));

for (const zone of NAMES) {
  test.describe(`created in ${zone}`, () => {
    test.use({ timezoneId: zone });

    test("a day is the same day everywhere", async ({ page, tasks, account, context, open }) => {
      await tasks.open();
      await tasks.add("Christmas Eve");
      const editor = await tasks.edit("Christmas Eve");
      await editor.getByLabel("Due").fill("2030-12-24");
      await editor.getByRole("button", { name: "Save" }).click();
      await expect(tasks.row("Christmas Eve")).toContainText("Tue, Dec 24, 2030");
      await expect.poll(() => account.api.find()).toMatchObject([{ dueDate: "2030-12-24" }]);
      await page.reload();
      await expect(tasks.row("Christmas Eve")).toContainText("Tue, Dec 24, 2030");

      const storageState = await context.storageState();
      for (const timezoneId of NAMES.filter((name) => name !== zone)) {
        const elsewhere = await open({ storageState, timezoneId });
        const screen = await new Screen(await elsewhere.newPage()).open();
        await expect(screen.row("Christmas Eve")).toContainText("Tue, Dec 24, 2030");
        const editor = await screen.edit("Christmas Eve");
        await expect(editor.getByLabel("Due")).toHaveValue("2030-12-24");
        await expect(editor.getByLabel("Time")).toHaveValue("");
        // Saving another field does not change it.
        await editor.getByLabel("Description").fill(timezoneId);
        await editor.getByRole("button", { name: "Save" }).click();
        await expect(editor).toBeHidden();
        await expect.poll(() => account.api.find()).toMatchObject([{ dueDate: "2030-12-24", description: timezoneId }]);
      }
    });

    test("a time is the same instant everywhere", async ({ tasks, account, context, open }) => {
      await tasks.open();
      await tasks.add("Call");
      const editor = await tasks.edit("Call");
      await editor.getByLabel("Due").fill("2030-06-15");
      await editor.getByLabel("Time").fill("00:30");
      await editor.getByRole("button", { name: "Save" }).click();
      await expect(tasks.row("Call")).toContainText("Sat, Jun 15, 2030 12:30 AM");
      const instant = Date.UTC(2030, 5, 15, 0, 30) - (ZONES[zone as keyof typeof ZONES] ?? 0) * 3_600_000;
      const [saved] = await account.api.find();
      expect(Date.parse(saved?.dueDate ?? "")).toBe(instant);

      const storageState = await context.storageState();
      for (const [timezoneId, offset] of Object.entries(ZONES)) {
        const elsewhere = await open({ storageState, timezoneId });
        const screen = await new Screen(await elsewhere.newPage()).open();
        const editor = await screen.edit("Call");
        const local = new Date(instant + offset * 3_600_000).toISOString();
        await expect(editor.getByLabel("Due")).toHaveValue(local.slice(0, 10));
        await expect(editor.getByLabel("Time")).toHaveValue(local.slice(11, 16));
      }
    });

    test("the chart counts the same overdue tasks as the list", async ({ page, tasks, account }) => {
      await tasks.open();
      const today = await localDay(page);
      const yesterday = new Date(Date.parse(today) - 86_400_000).toISOString().slice(0, 10);
      await account.api.createAll([
        { title: "Late", dueDate: yesterday },
        { title: "For today", dueDate: today },
      ]);

      await page.reload();

      await expect(tasks.row("Late")).toContainText("overdue");
      await expect(tasks.row("For today")).not.toContainText("overdue");
      await expect(page.getByRole("figure", { name: "Statistics" })).toContainText("1 open1 overdue");
    });

    test("today is the user’s own day", async ({ page, tasks, account }) => {
      await tasks.open();
      const today = await localDay(page);
      await tasks.add("Do it today", "Do it");
      await expect(tasks.row("Do it")).toContainText("Today");
      await expect(tasks.row("Do it")).not.toContainText("overdue");
      await expect.poll(() => account.api.find()).toMatchObject([{ dueDate: today }]);

      await page.getByLabel("Due").selectOption("Due today");
      await tasks.expectTitles(["Do it"]);
      await page.getByLabel("Due").selectOption("Next 7 days");
      await tasks.expectTitles(["Do it"]);
      await page.getByLabel("Due").selectOption("Overdue");
      await expect(page.getByRole("heading", { name: "No task matches" })).toBeVisible();
    });
  });
}
