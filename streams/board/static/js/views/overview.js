/** What happens now: orders as they come, the latest alerts, the busiest wallets. */

import { alertColumns, orderColumns, walletColumns } from "../columns.js";
import { card, choice, h } from "../dom.js";
import { DataTable } from "../table.js";
import { WINDOWS } from "../types.js";

const ORDERS = 30;
const ALERTS = 10;
const WALLETS = 10;
let window_ = "1h";

export class Overview {
  title = "Overview";

  /** @param {import("../store.js").Store} store @param {string} _argument @param {() => void} changed */
  constructor(store, _argument, changed) {
    this.store = store;
    this.orders = new DataTable({ caption: "Latest orders", columns: orderColumns(), key: (row) => row.event_id, page: ORDERS, empty: "No order has come yet." });
    this.alerts = new DataTable({ caption: "Latest alerts", columns: alertColumns(() => store.now, true), key: (row) => row.episode, page: ALERTS, empty: "No alert has fired in the last day." });
    this.wallets = new DataTable({ caption: "Busiest wallets", columns: walletColumns(() => window_), key: (row) => row.wallet, page: WALLETS, empty: "No wallet has traded in this window." });
    const windows = choice("overview-window", "Window of the wallets", WINDOWS, window_, (value) => { window_ = value; changed(); });
    const all = (href, text) => h("a", { href }, text);
    this.element = h("div", { class: "stack" },
      h("h1", { class: "unseen" }, "Overview"),
      h("div", { class: "columns" },
        card("Latest orders", [h("span", { class: "hint less" }, "rows keep their places while you point at them")], h("div", { class: "latest" }, this.orders.element)),
        h("div", { class: "stack" },
          card("Latest alerts", [all("#/alerts", "All alerts")], this.alerts.element),
          card("Busiest wallets", [windows, all("#/wallets", "All wallets")], this.wallets.element))));
  }

  draw() {
    this.orders.update(this.store.orders.slice(0, ORDERS));
    const alerts = [...this.store.alerts.values()].sort((a, b) => b.as_of - a.as_of);
    this.alerts.update(alerts.slice(0, ALERTS));
    this.wallets.update(busiest(this.store.wallets.values(), WINDOWS.indexOf(window_)));
  }
}

/**
 * The wallets of the highest volume, found without sorting thousands.
 * @param {Iterable<import("../types.js").Wallet>} wallets
 * @param {number} window
 */
function busiest(wallets, window) {
  const volume = (row) => row.windows[window]?.[1] ?? 0;
  /** @type {import("../types.js").Wallet[]} */ const top = [];
  for (const wallet of wallets) {
    if (!volume(wallet) || (top.length === WALLETS && volume(wallet) <= volume(top[WALLETS - 1]))) continue;
    const place = top.findIndex((each) => volume(each) < volume(wallet));
    top.splice(place < 0 ? top.length : place, 0, wallet);
    top.length = Math.min(top.length, WALLETS);
  }
  return top;
}
