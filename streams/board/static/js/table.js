/** A table of many rows: sorted, paged, and changed in place, so that focus and selection stay where they are. */

import { h, say } from "./dom.js";
import { count } from "./format.js";

/**
 * @typedef {{text: string, href?: string, title?: string, tone?: string, tag?: string}} Cell
 * @typedef {{name: string, label: string, cell: (row: any) => Cell, sort?: (row: any) => (number|string|null),
 *   number?: boolean, look?: string, hint?: string}} Column
 *   `look` are classes of the whole column; those that are optional, less or least leave where there is no room
 */

const canHover = matchMedia("(hover: hover)");

export class DataTable {
  /** @type {string[]} */ #shown = [];
  /** @type {Map<string, any>} */ #rows = new Map();
  /** @type {Map<string, any>} rows that are shown although they have left the list */ #extra = new Map();
  /** @type {Map<string, any>} rows as last drawn */ #last = new Map();
  #page = 0;

  /**
   * @param {{caption: string, columns: Column[], key: (row: any) => string, empty: string, sort?: string,
   *   ascending?: boolean, page?: number, onsort?: () => void}} options without `sort` rows stay as they come
   */
  constructor({ caption, columns, key, empty, sort, ascending = false, page = 50, onsort }) {
    this.columns = columns;
    this.key = key;
    this.size = page;
    this.sort = sort;
    this.ascending = ascending;
    this.onsort = onsort;
    this.heads = columns.map((column) => this.#head(column));
    this.body = h("tbody");
    this.table = h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, ...this.heads)), this.body);
    this.none = h("p", { class: "empty" }, empty);
    this.range = h("span", { class: "range" });
    this.back = h("button", { type: "button", onclick: () => this.#turn(-1) }, "Previous");
    this.next = h("button", { type: "button", onclick: () => this.#turn(1) }, "Next");
    this.pager = h("nav", { class: "pager", "aria-label": `Pages of ${caption}` }, this.range, this.back, this.next);
    this.element = h("div", {}, h("div", { class: "scroll" }, this.table), this.none, this.pager);
    this.#markSort();
  }

  /** @param {Iterable<any>} rows @param {string} [empty] what to say when there are none */
  update(rows, empty) {
    this.#rows = new Map([...rows].map((row) => [this.key(row), row]));
    this.#extra.clear();
    if (this.held) {
      // What has left the list meanwhile stays as it was, as long as somebody is at work in it.
      for (const key of this.#shown) if (!this.#rows.has(key)) this.#extra.set(key, this.#last.get(key));
    }
    if (empty) say(this.none, empty);
    this.#draw();
  }

  /** Whether somebody is at work in the rows: then they keep their places, and only their figures change. */
  get held() {
    return this.body.matches(":focus-within") || (canHover.matches && this.body.matches(":hover"));
  }

  first() {
    this.#page = 0;
    this.#shown = [];
  }

  #draw() {
    const pages = Math.max(1, Math.ceil(this.#rows.size / this.size));
    this.#page = Math.min(this.#page, pages - 1);
    if (!this.held || !this.#shown.length) {
      const from = this.#page * this.size;
      this.#shown = this.#sorted().slice(from, from + this.size).map(this.key);
    }
    this.#fill();
    const from = this.#page * this.size;
    this.none.hidden = this.#rows.size > 0;
    this.table.hidden = this.#rows.size === 0;
    this.pager.hidden = pages === 1;
    say(this.range, `${count(from + 1)} to ${count(from + this.#shown.length)} of ${count(this.#rows.size)}`);
    /** @type {HTMLButtonElement} */ (this.back).disabled = this.#page === 0;
    /** @type {HTMLButtonElement} */ (this.next).disabled = this.#page >= pages - 1;
  }

  #sorted() {
    const rows = [...this.#rows.values()];
    const by = this.columns.find((column) => column.name === this.sort)?.sort;
    if (!by) return rows;
    const sign = this.ascending ? 1 : -1;
    // Values once per row, not once per comparison; equal ones by key, or rows would dance.
    const keyed = rows.map((row) => ({ row, value: by(row), key: this.key(row) }));
    keyed.sort((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null) || (a.key < b.key ? -1 : 1);
      if (a.value !== b.value) return a.value < b.value ? -sign : sign;
      return a.key < b.key ? -1 : 1;
    });
    return keyed.map((each) => each.row);
  }

  #fill() {
    this.#last.clear();
    while (this.body.rows.length > this.#shown.length) this.body.deleteRow(-1);
    this.#shown.forEach((key, index) => {
      const line = this.body.rows[index] ?? this.body.appendChild(this.#line());
      const row = this.#rows.get(key) ?? this.#extra.get(key);
      this.#last.set(key, row);
      this.columns.forEach((column, cell) => put(line.cells[cell], column.cell(row)));
    });
  }

  #line() {
    return h("tr", {}, ...this.columns.map((column) => h("td", { class: look(column) })));
  }

  /** @param {Column} column */
  #head(column) {
    const name = column.sort && this.sort
      ? h("button", { type: "button", title: column.hint, onclick: () => this.#order(column) }, column.label)
      : column.label;
    return h("th", { scope: "col", class: look(column), title: column.hint }, name);
  }

  /** @param {Column} column */
  #order(column) {
    this.ascending = this.sort === column.name ? !this.ascending : !column.number;
    this.sort = column.name;
    this.first();
    this.#markSort();
    this.#draw();
    this.onsort?.();
  }

  #markSort() {
    this.columns.forEach((column, index) => {
      if (column.name === this.sort) this.heads[index].setAttribute("aria-sort", this.ascending ? "ascending" : "descending");
      else this.heads[index].removeAttribute("aria-sort");
    });
  }

  /** @param {number} by */
  #turn(by) {
    this.#page += by;
    this.#shown = [];
    this.#draw();
  }
}

/** @param {Column} column */
function look(column) {
  return [column.number ? "number" : "", column.look ?? ""].join(" ").trim() || null;
}

/** @param {HTMLTableCellElement} td @param {Cell} cell */
function put(td, cell) {
  const kind = cell.href ? "A" : cell.tag !== undefined ? "SPAN" : "";
  let inner = td;
  if (kind) {
    if (td.firstElementChild?.tagName !== kind) td.replaceChildren(h(kind));
    inner = /** @type {any} */ (td.firstElementChild);
  } else if (td.firstElementChild) {
    td.replaceChildren();
  }
  say(inner, cell.text);
  if (cell.href && inner.getAttribute("href") !== cell.href) inner.setAttribute("href", cell.href);
  const tone = cell.tag !== undefined ? `tag ${cell.tag}` : cell.tone ?? "";
  if (inner.dataset.tone !== tone) {
    if (inner.dataset.tone) inner.classList.remove(...inner.dataset.tone.split(" ").filter(Boolean));
    if (tone) inner.classList.add(...tone.split(" ").filter(Boolean));
    inner.dataset.tone = tone;
  }
  const title = cell.title ?? "";
  if (td.title !== title) td.title = title;
}
