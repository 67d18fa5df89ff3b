import { expect, type Locator, type Page } from "@playwright/test";

/** The task page as its users see it. */
export class Screen {
  readonly quickAdd: Locator;
  readonly search: Locator;
  readonly list: Locator;
  readonly rows: Locator;
  /** The checkboxes of the rows. Their labels name the tasks. */
  readonly checkboxes: Locator;

  constructor(readonly page: Page) {
    this.quickAdd = page.getByLabel("New task");
    this.search = page.getByRole("searchbox", { name: "Search" });
    this.list = page.getByRole("list", { name: "Tasks" });
    this.rows = this.list.getByRole("listitem");
    this.checkboxes = this.list.getByRole("checkbox");
  }

  async open(query = ""): Promise<this> {
    await this.page.goto(`/${query}`);
    await this.loaded();
    return this;
  }

  /** Waits for the list, or the message in its place. */
  async loaded() {
    await expect(
      this.list.or(this.page.getByRole("heading", { name: /Nothing to do yet|No task matches/ })),
    ).toBeVisible();
  }

  async type(text: string) {
    await this.quickAdd.fill(text);
    await expect(this.page.getByRole("button", { name: "Add", exact: true })).toBeEnabled();
  }

  async add(text: string, title = text) {
    await this.type(text);
    await this.quickAdd.press("Enter");
    await expect(this.checkbox(title)).toBeEnabled();
  }

  row(title: string): Locator {
    return this.rows.filter({ has: this.checkbox(title) });
  }

  checkbox(title: string): Locator {
    return this.page.getByRole("checkbox", { name: `Done: ${title}`, exact: true });
  }

  /** The button with the title, which the keys j and k move between. */
  title(title: string): Locator {
    return this.row(title).locator("[data-task]");
  }

  async expectTitles(titles: string[]) {
    await expect(this.list.locator("[data-task] > :first-child")).toHaveText(titles);
  }

  async edit(title: string): Promise<Locator> {
    await this.title(title).click();
    const editor = this.page.getByRole("form", { name: `Edit ${title}`, exact: true });
    await expect(editor.getByLabel("Title")).toBeFocused();
    return editor;
  }

  async delete(title: string) {
    await this.row(title).hover();
    await this.page.getByRole("button", { name: `Delete ${title}`, exact: true }).click();
    await expect(this.checkbox(title)).toHaveCount(0);
  }

  toast(text: string | RegExp): Locator {
    return this.page.locator("[data-sonner-toast]").filter({ hasText: text });
  }

  async menu(): Promise<Locator> {
    await this.page.getByRole("button", { name: /^Account menu: / }).click();
    return this.page.getByRole("menu");
  }

  async signOut() {
    await (await this.menu()).getByRole("menuitem", { name: "Sign out" }).click();
    await expect(this.page).toHaveURL(/\/sign-in$/);
  }
}
