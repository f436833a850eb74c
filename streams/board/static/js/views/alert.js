/** One alert: why it fired, operand by operand, what it was about, and what became of the price. */

import { alertState, walletLink } from "../columns.js";
import { card, facts, h, say } from "../dom.js";
import { brief, duration, exact, percent, price, tone, when } from "../format.js";
import { DataTable } from "../table.js";
import { Fetched } from "./page.js";

const NUMBER = new Intl.NumberFormat("en", { maximumSignificantDigits: 8 });

/** @type {import("../table.js").Column[]} */
const GRADES = [
  { name: "horizon", label: "After", cell: (row) => ({ text: row.horizon === "end" ? "the market's end" : row.horizon }) },
  { name: "then", label: "Price then", number: true, cell: (row) => ({ text: price(row.then) }) },
  { name: "now", label: "Price later", number: true, cell: (row) => ({ text: row.now === null ? "–" : price(row.now) }) },
  { name: "gain", label: "Return per USDC", number: true, cell: (row) => (row.gain === null ? { text: `ungraded: ${row.reason}`, tone: "muted" } : { text: percent(row.gain), tone: tone(row.gain) }) },
];

/** @type {import("../table.js").Column[]} */
const ORDERS = [
  { name: "event", label: "Order", look: "mono told", cell: (row) => ({ text: row.event_id, title: row.event_id }) },
  { name: "place", label: "Topic, partition, offset", look: "optional", cell: (row) => ({ text: `${row.topic} ${row.partition} ${row.offset}` }) },
];

export class AlertView {
  title = "Alert";

  /** @param {import("../store.js").Store} store @param {string} episode */
  constructor(store, episode) {
    this.store = store;
    this.episode = episode;
    this.body = h("div", { class: "stack" }, h("p", { class: "hint" }, "loading …"));
    this.heading = h("h1", {}, "Alert");
    this.element = h("div", { class: "stack" }, this.heading, this.body);
    this.grades = new DataTable({ caption: "Grades", columns: GRADES, key: (row) => row.horizon, empty: "No grade yet: they come when their time is over and the price is known." });
    this.orders = new DataTable({ caption: "Orders that made it", columns: ORDERS, key: (row) => row.event_id, empty: "None." });
    this.fetched = new Fetched(`/api/alerts/${encodeURIComponent(episode)}`, (details) => this.#show(details));
  }

  draw() {
    this.fetched.refresh(this.store.alerts.get(this.episode) ?? null);
  }

  close() {
    this.fetched.close();
  }

  /** @param {any} details */
  #show(details) {
    if (!details) {
      this.body.replaceChildren(h("p", { class: "empty card" }, "This alert is no longer kept here: python -m streams explain ", h("code", {}, this.episode)));
      return;
    }
    const { row, transitions } = details;
    const told = transitions.findLast((each) => each.transition !== "resolved") ?? transitions.at(-1);
    say(this.heading, row.message || row.rule);
    this.grades.update(row.grades);
    this.orders.update(told.orders);
    this.body.replaceChildren(
      card(`Rule ${row.rule}`, [], h("div", { class: "body" }, about(row, told, this.store.now))),
      h("div", { class: "columns" },
        h("div", { class: "stack" }, ...transitions.toReversed().map((each) => why(each, this.store.now))),
        h("div", { class: "stack" }, card("What became of the price", [], this.grades.element), card("Orders that made it", [], this.orders.element))));
  }
}

/** @param {any} row @param {any} told @param {number} now */
function about(row, told, now) {
  const state = alertState(row);
  const trade = told.trade;
  const link = row.wallet ? h("a", { href: walletLink(row.wallet), class: "mono", title: row.wallet }, brief(row.wallet)) : h("span", { class: "mono", title: row.subject }, brief(row.subject));
  return facts([
    ["State", h("span", { class: `tag ${state.tag}` }, state.text)],
    ["Severity", row.severity],
    [row.scope === "wallet" ? "Wallet" : "Condition id", link],
    ["Market", row.title ?? "–"],
    ["Tipping trade", `${trade.side} ${trade.outcome ?? "?"} at ${price(trade.price)}`],
    ["Began", h("span", { title: exact(row.starts) }, when(row.starts, now))],
    ["Lasted", row.ends === null ? `${duration(now - row.starts)} so far` : row.ends === row.starts ? "one order" : duration(row.ends - row.starts)],
    ["Coverage", told.coverage === "gap" ? h("span", { class: "tag warn" }, `gap open: ${told.gap_id ?? ""}`) : "complete"],
    ["Order came by", `${told.source}, ${told.order_age_s.toFixed(1)} s old`],
  ]);
}

/** @param {any} alert @param {number} now */
function why(alert, now) {
  return card(`Why it ${alert.transition === "resolved" ? "resolved" : alert.transition === "escalated" ? "escalated" : "fired"}`,
    [h("span", { class: "hint", title: exact(alert.as_of) }, when(alert.as_of, now))],
    h("div", { class: "body" },
      h("p", { class: "reason" }, alert.reason),
      alert.clauses.length ? h("ul", { class: "clauses", "aria-label": "Parts of the condition" }, ...alert.clauses.map(clause)) : h("p", { class: "hint" }, "The condition was about an order, which is over.")));
}

/** @param {any} part @returns {HTMLElement} */
function clause(part) {
  const operands = Object.entries(part.operands).map(([name, value]) => `${name} = ${value_(value)}`).join(", ");
  const parts = part.parts ?? [];
  return h("li", {},
    h("span", { class: "verdict", "data-value": String(part.value) }, value_(part.value)), " ", h("code", {}, part.text),
    operands ? h("div", { class: "operands" }, operands) : null,
    parts.length ? h("p", { class: "hint" }, part.operator === "||" ? "any of" : "all of") : null,
    parts.length ? h("ul", {}, ...parts.map(clause)) : null);
}

/** @param {any} value */
const value_ = (value) => (typeof value === "number" ? NUMBER.format(value) : String(value));
