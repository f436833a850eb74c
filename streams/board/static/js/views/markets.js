/** All markets in which watched wallets traded. */

import { marketColumns } from "../columns.js";
import { Listing } from "./listing.js";

export class MarketsView extends Listing {
  /** @param {import("../store.js").Store} store @param {string} _argument @param {() => void} changed */
  constructor(store, _argument, changed) {
    super({
      title: "Markets",
      columns: marketColumns,
      key: (row) => row.market,
      rows: () => store.markets.values(),
      text: (row) => `${row.title ?? ""} ${row.slug ?? ""} ${row.market}`,
      windows: true,
      sort: "volume",
      find: "title, slug, condition id",
      empty: "No watched wallet has traded in any market yet.",
      changed,
    });
  }
}
