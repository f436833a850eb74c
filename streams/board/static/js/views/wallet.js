/** One wallet: its windows, its flow, its positions, orders and alerts. */

import { FlowChart } from "../chart.js";
import { alertColumns, orderColumns, standing } from "../columns.js";
import { card, facts, h, say } from "../dom.js";
import { ago, brief, count, exact, flow, money, price, shares, sum, tone, when } from "../format.js";
import { DataTable } from "../table.js";
import { WINDOWS } from "../types.js";
import { Fetched } from "./page.js";

const FLOW_EVERY_MS = 15_000;

/** @type {[string, (sums: any) => string, ((sums: any) => string)?][]} */
const SUMS = [
  ["Orders", (sums) => count(sums.orders)],
  ["Buys", (sums) => count(sums.buys)],
  ["Sells", (sums) => count(sums.sells)],
  ["Volume", (sums) => sum(sums.volume)],
  ["Net flow", (sums) => flow(sums.net_flow), (sums) => tone(sums.net_flow)],
  ["Markets", (sums) => count(sums.markets)],
  ["Mean order", (sums) => (sums.mean_order === null ? "–" : money(sums.mean_order))],
  ["Largest", (sums) => (sums.max_order === null ? "–" : money(sums.max_order))],
  ["Mean price", (sums) => (sums.mean_price === null ? "–" : price(sums.mean_price))],
];

/** @type {import("../table.js").Column[]} */
const POSITIONS = [
  { name: "token", label: "Outcome", look: "told", cell: (row) => ({ text: row.name ?? `token ${brief(row.token_id)}`, title: row.token_id }) },
  { name: "orders", label: "Orders", number: true, cell: (row) => ({ text: count(row.orders) }) },
  { name: "shares", label: "Net shares", number: true, cell: (row) => ({ text: `${row.shares < 0 ? "−" : ""}${shares(Math.abs(row.shares))}` }) },
  { name: "bought", label: "Bought", number: true, cell: (row) => ({ text: sum(row.bought) }) },
  { name: "sold", label: "Sold", number: true, cell: (row) => ({ text: sum(row.sold) }) },
  { name: "price", label: "Mean price", number: true, look: "optional", cell: (row) => ({ text: row.average_price === null ? "–" : price(row.average_price) }) },
];

export class WalletView {
  /** @param {import("../store.js").Store} store @param {string} wallet @param {() => void} changed */
  constructor(store, wallet, changed) {
    this.store = store;
    this.wallet = wallet.toLowerCase();
    this.title = `Wallet ${brief(this.wallet)}`;
    this.changed = changed;
    this.label = h("p", { class: "hint" });
    this.facts = h("div", { class: "body" }, h("p", { class: "hint" }, "loading …"));
    this.windows = h("div", { class: "scroll" });
    this.chart = new FlowChart();
    this.orders = new DataTable({ caption: "Orders of this wallet", columns: orderColumns(true), key: (row) => row.event_id, page: 20, empty: "No order of this wallet since the board began to read." });
    this.positions = new DataTable({ caption: "Positions", columns: POSITIONS, key: (row) => row.token_id, page: 16, empty: "No position is known." });
    this.alerts = new DataTable({ caption: "Alerts of this wallet", columns: alertColumns(() => store.now, true), key: (row) => row.episode, page: 10, empty: "No alert about this wallet in the last day." });
    this.element = h("div", { class: "stack" },
      h("div", { class: "head" }, h("div", {}, h("h1", {}, h("span", { class: "unseen" }, "Wallet "), h("span", { class: "address" }, this.wallet)), this.label)),
      card("Coverage", [], this.facts),
      card("Flow per minute, last hour, USDC", [], this.chart.element),
      h("div", { class: "columns" },
        card("Newest orders", [], this.orders.element),
        h("div", { class: "stack" },
          card("Windows", [], this.windows),
          card("Positions since watching began", [], this.positions.element),
          card("Alerts", [], this.alerts.element))));
    this.fetched = new Fetched(`/api/wallets/${encodeURIComponent(this.wallet)}`, (details) => this.#show(details));
    this.drawn = 0;
  }

  draw() {
    const old = performance.now() - this.drawn > FLOW_EVERY_MS; // minutes pass without orders too
    if (old) this.drawn = performance.now();
    this.fetched.refresh(this.store.wallets.get(this.wallet), old);
    const alerts = [...this.store.alerts.values()].filter((alert) => alert.wallet === this.wallet);
    this.alerts.update(alerts.sort((a, b) => b.as_of - a.as_of));
  }

  close() {
    this.fetched.close();
  }

  /** @param {any} details */
  #show(details) {
    if (!details) {
      this.facts.replaceChildren(h("p", {}, "Nothing is known of this wallet: it is not watched, or did nothing that is still kept."));
      this.orders.update([]);
      this.positions.update([]);
      this.chart.update([]);
      return;
    }
    say(this.label, details.row.label ?? "");
    this.facts.replaceChildren(coverage(details, this.store.now));
    this.chart.update(details.flow);
    this.orders.update(details.orders);
    this.positions.update((details.statistics?.positions ?? []).map((each) => ({ ...each, name: details.tokens[each.token_id] })));
    this.windows.replaceChildren(windows(details.statistics));
  }
}

/** @param {any} details @param {number} now */
function coverage(details, now) {
  const { row, coverage: record } = details;
  const state = standing(row);
  const since = (at) => (at ? h("span", { title: exact(at) }, ago(now - at)) : "–");
  return facts([
    ["State", h("span", { class: `tag ${state.tag}` }, state.text)],
    ["Complete up to", since(record?.covered_until_ms)],
    ["Compared with REST up to", since(record?.verified_until_ms)],
    ["Watched since", record?.since_ms ? when(record.since_ms, now) : "–"],
    ["Last order", row.last ? when(row.last, now) : "–"],
    ["Watched by", record?.owner ?? "–"],
  ]);
}

/** @param {any} statistics */
function windows(statistics) {
  if (!statistics) return h("p", { class: "empty" }, "No statistics yet.");
  const head = h("tr", {}, h("th", { scope: "col" }, "Window"), ...WINDOWS.map((name) => h("th", { scope: "col", class: "number" }, name)));
  const rows = SUMS.map(([name, text, look]) =>
    h("tr", {}, h("th", { scope: "row" }, name),
      ...WINDOWS.map((each) => {
        const sums = statistics.windows[each];
        return h("td", { class: `number ${look?.(sums) ?? ""}` }, text(sums));
      })));
  return h("table", {}, h("caption", { class: "unseen" }, "Statistics by window"), h("thead", {}, head), h("tbody", {}, ...rows));
}
