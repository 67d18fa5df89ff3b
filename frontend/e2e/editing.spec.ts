import { expect, test } from "./fixtures";

for (const key of ["Delete", "Backspace"]) {
  test(`holding ${key} deletes one task`, async ({ page, tasks, account }) => {
    await account.api.createAll([{ title: "Three" }, { title: "Two" }, { title: "One" }]);
    await tasks.open();
    await tasks.title("One").focus();

    await page.keyboard.down(key);
    await expect(tasks.title("Two")).toBeFocused();
    for (let time = 0; time < 3; time++) await page.keyboard.down(key);
    await page.keyboard.up(key);

    await tasks.expectTitles(["Two", "Three"]);
    await page.keyboard.press(key);
    await tasks.expectTitles(["Three"]);
  });
}

test("holding x completes one task once", async ({ page, tasks, account }) => {
  await account.api.createAll([{ title: "Two" }, { title: "One" }]);
  await tasks.open();
  await tasks.title("One").focus();

  for (let time = 0; time < 4; time++) await page.keyboard.down("x");
  await page.keyboard.up("x");

  await expect(tasks.checkbox("One")).toBeChecked();
  await expect(tasks.checkbox("Two")).not.toBeChecked();
  await expect.poll(() => account.api.find()).toMatchObject([{ status: "completed" }, { status: "pending" }]);
});
