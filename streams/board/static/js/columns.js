/** Columns that several views show. */

import { brief, count, exact, flow, money, percent, price, shares, sum as total, time, tone, walletName, when } from "./format.js";
import { WINDOWS } from "./types.js";

/** @typedef {import("./table.js").Column} Column */

const SEVERITY = { info: "info", warning: "warn", critical: "bad" };
const RANK = { info: 0, warning: 1, critical: 2 };

/** @param {string} wallet */
export const walletLink = (wallet) => `#/wallet/${encodeURIComponent(wallet)}`;

/** @param {string} episode */
export const alertLink = (episode) => `#/alert/${encodeURIComponent(episode)}`;

/** @returns {Column} */
const walletColumn = () => ({
  name: "wallet", label: "Wallet", look: "mono",
  cell: (row) => ({ text: walletName(row), href: walletLink(row.wallet), title: row.wallet }),
  sort: (row) => walletName(row),
});

/** @param {boolean} [alone] on the page of one wallet @returns {Column[]} */
export function orderColumns(alone = false) {
  return [
    { name: "at", label: "Time", cell: (row) => ({ text: time(row.at), title: exact(row.at), tone: "muted" }), sort: (row) => row.at },
    ...(alone ? [] : [walletColumn()]),
    { name: "side", label: "Side", cell: (row) => ({ text: row.side, tone: row.side === "BUY" ? "up" : "down" }) },
    { name: "outcome", label: "Outcome", look: "optional word", cell: (row) => ({ text: row.outcome ?? "–", title: row.outcome ?? "" }) },
    { name: "price", label: "Price", number: true, cell: (row) => ({ text: price(row.price) }) },
    { name: "shares", label: "Shares", number: true, look: "optional less", cell: (row) => ({ text: shares(row.shares) }) },
    { name: "micros", label: "USDC", number: true, cell: (row) => ({ text: money(row.micros) }) },
    { name: "market", label: "Market", look: "optional wide", cell: (row) => ({ text: row.title ?? brief(row.market ?? "–"), title: row.title ?? "" }) },
    {
      name: "source", label: "From", look: "optional least",
      cell: (row) => ({ text: row.gap ? `${row.source}, gap` : row.source, tone: row.gap ? "down" : "muted", title: row.gap ? "published while a gap of the wallet was open" : "" }),
    },
  ];
}

/** @param {() => string} window @returns {Column[]} */
export function walletColumns(window) {
  const sum = (row, index) => row.windows[WINDOWS.indexOf(window())]?.[index] ?? 0;
  return [
    walletColumn(),
    { name: "orders", label: "Orders", number: true, cell: (row) => ({ text: count(sum(row, 0)) }), sort: (row) => sum(row, 0) },
    { name: "volume", label: "Volume", number: true, hint: "USDC bought and sold", cell: (row) => ({ text: total(sum(row, 1)) }), sort: (row) => sum(row, 1) },
    { name: "flow", label: "Net flow", number: true, hint: "USDC bought less sold", cell: (row) => ({ text: flow(sum(row, 2)), tone: tone(sum(row, 2)) }), sort: (row) => sum(row, 2) },
    { name: "markets", label: "Markets", number: true, look: "optional", cell: (row) => ({ text: count(sum(row, 3)) }), sort: (row) => sum(row, 3) },
  ];
}

/** @param {() => number} now @returns {Column[]} */
export function watchColumns(now) {
  return [
    { name: "last", label: "Last order", number: true, look: "optional", cell: (row) => ({ text: row.last ? when(row.last, now()) : "–", title: row.last ? exact(row.last) : "" }), sort: (row) => row.last },
    { name: "standing", label: "Coverage", look: "optional", cell: standing, sort: (row) => standing(row).text },
  ];
}

/** @param {import("./types.js").Wallet} row @returns {import("./table.js").Cell} */
export function standing(row) {
  if (row.standing === null) return { text: "not watched", tag: "" };
  if (row.gap) return { text: `gap: ${row.gap}`, tag: "warn" };
  return { text: row.standing, tag: row.standing === "live" ? "good" : "bad" };
}

/** @param {() => string} window @returns {Column[]} */
export function marketColumns(window) {
  const sum = (row, index) => row.windows[WINDOWS.indexOf(window())]?.[index] ?? 0;
  const name = (row) => row.title ?? row.slug ?? brief(row.market);
  return [
    { name: "title", label: "Market", look: "wide", cell: (row) => ({ text: name(row), title: name(row) }), sort: name },
    {
      name: "prices", label: "Last prices", look: "optional less",
      cell: (row) => ({ text: row.prices.map(([label, value]) => `${label ?? "?"} ${price(value)}`).join("  ") }),
    },
    { name: "orders", label: "Orders", number: true, cell: (row) => ({ text: count(sum(row, 0)) }), sort: (row) => sum(row, 0) },
    { name: "volume", label: "Volume", number: true, hint: "USDC, a trade counted once", cell: (row) => ({ text: total(sum(row, 1)) }), sort: (row) => sum(row, 1) },
    { name: "flow", label: "Net flow", number: true, look: "optional", hint: "USDC that watched wallets bought less sold", cell: (row) => ({ text: flow(sum(row, 2)), tone: tone(sum(row, 2)) }), sort: (row) => sum(row, 2) },
    { name: "wallets", label: "Wallets", number: true, cell: (row) => ({ text: count(sum(row, 3)) }), sort: (row) => sum(row, 3) },
    { name: "consensus", label: "Consensus", number: true, look: "optional", hint: "most distinct wallets on one side of one outcome", cell: (row) => ({ text: count(sum(row, 4)) }), sort: (row) => sum(row, 4) },
  ];
}

/** @param {() => number} now @param {boolean} [narrow] beside something else @returns {Column[]} */
export function alertColumns(now, narrow = false) {
  const spare = narrow ? "unshown" : "optional less";
  return [
    { name: "as_of", label: "Time", cell: (row) => ({ text: when(row.as_of, now()), title: exact(row.as_of), tone: "muted" }), sort: (row) => row.as_of },
    { name: "severity", label: "Severity", look: "optional", cell: (row) => ({ text: row.severity, tag: SEVERITY[row.severity] ?? "" }), sort: (row) => RANK[row.severity] },
    { name: "message", label: "Alert", look: "told", cell: (row) => ({ text: row.message || row.rule, href: alertLink(row.episode), title: row.reason }), sort: (row) => row.message },
    { name: "rule", label: "Rule", look: spare, cell: (row) => ({ text: row.rule }), sort: (row) => row.rule },
    { name: "market", label: "Market", look: narrow ? "unshown" : "optional half least", cell: (row) => ({ text: row.title ?? "–", title: row.title ?? "" }), sort: (row) => row.title },
    { name: "state", label: "State", look: "optional", cell: alertState, sort: (row) => alertState(row).text },
    { name: "grade", label: "Grade", number: true, look: spare, hint: "return per USDC at the newest horizon", cell: grade, sort: (row) => newest(row)?.gain ?? null },
  ];
}

/** @param {import("./types.js").Alert} row @returns {import("./table.js").Cell} */
export function alertState(row) {
  if (row.silenced) return { text: "silenced", tag: "" };
  if (row.state === "resolved") return { text: "resolved", tag: "" };
  if (row.ends !== null) return { text: "once", tag: "", title: "about one order: over when it was told" };
  return { text: row.state, tag: "bad" };
}

/** @param {import("./types.js").Alert} row */
const newest = (row) => row.grades.filter((each) => each.gain !== null).at(-1);

/** @param {import("./types.js").Alert} row @returns {import("./table.js").Cell} */
function grade(row) {
  const last = newest(row);
  if (last?.gain !== undefined && last.gain !== null) return { text: percent(last.gain), tone: tone(last.gain), title: `after ${last.horizon}` };
  return row.grades.length ? { text: "ungraded", tone: "muted", title: row.grades[0].reason ?? "" } : { text: "–", tone: "muted" };
}
