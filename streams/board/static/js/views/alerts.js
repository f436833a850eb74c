/** All alerts. */

import { alertColumns } from "../columns.js";
import { Listing } from "./listing.js";

export class AlertsView extends Listing {
  /** @param {import("../store.js").Store} store @param {string} _argument @param {() => void} changed */
  constructor(store, _argument, changed) {
    super({
      title: "Alerts",
      columns: () => alertColumns(() => store.now),
      key: (row) => row.episode,
      rows: () => store.alerts.values(),
      text: (row) => `${row.rule} ${row.severity} ${row.state} ${row.message} ${row.subject} ${row.title ?? ""}`,
      windows: false,
      sort: "as_of",
      find: "rule, severity, wallet, market",
      empty: "No alert has fired in the last day.",
      changed,
    });
  }
}
