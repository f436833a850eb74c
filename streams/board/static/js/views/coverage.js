/** What may be missing: gaps, wallets that are not live, and how reading goes. */

import { standing, walletLink } from "../columns.js";
import { card, h } from "../dom.js";
import { brief, count, duration, exact, walletName, when } from "../format.js";
import { DataTable } from "../table.js";

const STATES = { opened: "bad", filling: "warn", closed: "good", unrecoverable: "bad" };
const CONDITIONS = { reading: "good", "catching-up": "warn", starting: "warn", missing: "bad", away: "bad" };

/** @param {() => number} now @returns {import("../table.js").Column[]} */
const gapColumns = (now) => [
  { name: "at", label: "Reported", cell: (row) => ({ text: when(row.at, now()), title: exact(row.at), tone: "muted" }), sort: (row) => row.at },
  { name: "wallet", label: "Wallet", look: "mono", cell: (row) => ({ text: brief(row.wallet), href: walletLink(row.wallet), title: row.wallet }), sort: (row) => row.wallet },
  { name: "state", label: "State", cell: (row) => ({ text: row.state, tag: STATES[row.state] ?? "" }), sort: (row) => row.state },
  { name: "cause", label: "Cause", cell: (row) => ({ text: row.cause }), sort: (row) => row.cause },
  { name: "length", label: "Length", number: true, look: "optional", cell: (row) => ({ text: row.end === null ? "open" : duration(row.end - row.start) }), sort: (row) => (row.end ?? now()) - row.start },
  { name: "recovered", label: "Recovered", number: true, cell: (row) => ({ text: count(row.recovered) }), sort: (row) => row.recovered },
  { name: "detail", label: "Detail", look: "optional wide", cell: (row) => ({ text: row.detail ?? "", title: row.detail ?? "" }) },
];

/** @type {import("../table.js").Column[]} */
const NOT_LIVE = [
  { name: "wallet", label: "Wallet", look: "mono", cell: (row) => ({ text: walletName(row), href: walletLink(row.wallet), title: row.wallet }) },
  { name: "standing", label: "State", cell: standing },
];

/** @type {import("../table.js").Column[]} */
const TOPICS = [
  { name: "name", label: "Topic", look: "mono", cell: (row) => ({ text: row.name }) },
  { name: "condition", label: "Reading", cell: (row) => ({ text: row.condition, tag: CONDITIONS[row.condition] ?? "" }) },
  { name: "behind", label: "Behind", number: true, cell: (row) => ({ text: count(row.behind) }) },
  { name: "detail", label: "Detail", look: "optional half", cell: (row) => ({ text: row.detail, title: row.detail }) },
];

export class CoverageView {
  title = "Coverage";

  /** @param {import("../store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.gaps = new DataTable({ caption: "Gaps of the last day", columns: gapColumns(() => store.now), key: (row) => row.gap_id, sort: "at", empty: "No gap in the last day." });
    this.down = new DataTable({ caption: "Wallets not live or with a gap", columns: NOT_LIVE, key: (row) => row.wallet, page: 20, empty: "Every watched wallet is live and complete." });
    this.topics = new DataTable({ caption: "Topics this board reads", columns: TOPICS, key: (row) => row.name, empty: "Nothing is read." });
    this.element = h("div", { class: "stack" },
      h("h1", {}, "Coverage"),
      h("div", { class: "columns" },
        card("Gaps of the last day", [], this.gaps.element),
        h("div", { class: "stack" },
          card("Wallets not live or with a gap", [], this.down.element),
          card("Topics this board reads", [], this.topics.element))));
  }

  draw() {
    this.gaps.update(this.store.gaps.values());
    this.down.update([...this.store.wallets.values()].filter((row) => row.standing !== null && (row.standing !== "live" || row.gap)));
    this.topics.update(this.store.strip?.topics ?? []);
  }
}
