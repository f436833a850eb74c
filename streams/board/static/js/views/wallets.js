/** All wallets. */

import { walletColumns, watchColumns } from "../columns.js";
import { Listing } from "./listing.js";

export class WalletsView extends Listing {
  /** @param {import("../store.js").Store} store @param {string} _argument @param {() => void} changed */
  constructor(store, _argument, changed) {
    super({
      title: "Wallets",
      columns: (window) => [...walletColumns(window), ...watchColumns(() => store.now)],
      key: (row) => row.wallet,
      rows: () => store.wallets.values(),
      text: (row) => `${row.wallet} ${row.label ?? ""} ${row.standing ?? ""} ${row.gap ? "gap" : ""}`,
      windows: true,
      sort: "volume",
      find: "address, label, live, gap",
      empty: "No wallet is watched yet: python -m connector watch add 0x…",
      changed,
    });
  }
}
