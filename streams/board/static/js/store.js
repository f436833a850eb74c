/** What the page knows, bounded like the server's own memory; views read it, the stream writes it. */

/** @typedef {import("./types.js").Frame} Frame */

const MOST_ORDERS = 100;

export class Store {
  constructor() {
    /** @type {?import("./types.js").Strip} */
    this.strip = null;
    this.clear();
  }

  clear() {
    /** @type {import("./types.js").Order[]} newest first */
    this.orders = [];
    /** @type {Map<string, import("./types.js").Wallet>} */
    this.wallets = new Map();
    /** @type {Map<string, import("./types.js").Market>} */
    this.markets = new Map();
    /** @type {Map<string, import("./types.js").Alert>} */
    this.alerts = new Map();
    /** @type {Map<string, import("./types.js").Gap>} */
    this.gaps = new Map();
  }

  /** The server's time: a wrong clock here must not age what is new. */
  get now() {
    return this.strip ? this.strip.now : Date.now();
  }

  /**
   * Take in a frame; returns the alerts that are new.
   * @param {Frame} frame
   * @param {boolean} everything
   */
  apply(frame, everything) {
    if (everything) this.clear();
    this.strip = frame.strip;
    this.#orders(frame.orders ?? []);
    merge(this.wallets, frame.wallets, "wallet");
    merge(this.markets, frame.markets, "market");
    merge(this.gaps, frame.gaps, "gap_id");
    const fresh = (frame.alerts ?? []).filter((alert) => !this.alerts.has(alert.episode) && !alert.silenced);
    merge(this.alerts, frame.alerts, "episode");
    for (const [table, keys] of Object.entries(frame.gone ?? {})) {
      for (const key of keys) this[table].delete(key);
    }
    return everything ? [] : fresh;
  }

  /** @param {import("./types.js").Order[]} orders oldest first; some may be known from the snapshot */
  #orders(orders) {
    const newest = this.orders[0]?.number ?? 0;
    const fresh = orders.filter((order) => order.number > newest).reverse();
    if (fresh.length) this.orders = [...fresh, ...this.orders].slice(0, MOST_ORDERS);
  }
}

/**
 * @template T
 * @param {Map<string, T>} table
 * @param {T[]|undefined} rows
 * @param {keyof T & string} key
 */
function merge(table, rows, key) {
  for (const row of rows ?? []) table.set(/** @type {string} */ (row[key]), row);
}
