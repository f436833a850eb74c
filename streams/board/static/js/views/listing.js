/** A view of one big table with a filter and, where its figures have windows, their switch. */

import { card, choice, h } from "../dom.js";
import { DataTable } from "../table.js";
import { WINDOWS } from "../types.js";

/** @type {Map<string, {window: string, filter: string, sort: string, ascending: boolean}>} how each was left */
const left = new Map();

export class Listing {
  /**
   * @param {{title: string, columns: (window: () => string) => import("../table.js").Column[], key: (row: any) => string,
   *   rows: () => Iterable<any>, text: (row: any) => string, windows: boolean, sort: string, ascending?: boolean,
   *   find: string, empty: string, tools?: Node[], changed: () => void}} options
   */
  constructor(options) {
    const { title, windows, sort, ascending = false, find, changed } = options;
    this.title = title;
    this.options = options;
    this.kept = left.get(title) ?? { window: "1h", filter: "", sort, ascending };
    left.set(title, this.kept);
    this.table = new DataTable({
      caption: title,
      columns: options.columns(() => this.kept.window),
      key: options.key,
      empty: options.empty,
      sort: this.kept.sort,
      ascending: this.kept.ascending,
      onsort: () => Object.assign(this.kept, { sort: this.table.sort, ascending: this.table.ascending }),
    });
    const again = () => {
      this.table.first();
      changed();
      this.draw();
    };
    const search = h("input", { type: "search", placeholder: find, autocomplete: "off", spellcheck: "false", value: this.kept.filter,
      oninput: (event) => { this.kept.filter = event.target.value; again(); } });
    const tools = [h("label", {}, "Filter", search), ...(options.tools ?? [])];
    if (windows) tools.push(choice("window", "Window", WINDOWS, this.kept.window, (value) => { this.kept.window = value; again(); }));
    this.element = h("div", { class: "stack" },
      h("div", { class: "head" }, h("h1", {}, title), h("div", { class: "filters" }, ...tools)),
      card(title, [], this.table.element));
    this.element.querySelector(".card > .head")?.remove();
  }

  draw() {
    const wanted = this.kept.filter.trim().toLowerCase();
    const rows = [...this.options.rows()];
    const found = wanted ? rows.filter((row) => this.options.text(row).toLowerCase().includes(wanted)) : rows;
    this.table.update(found, rows.length ? "Nothing matches the filter." : this.options.empty);
  }
}
