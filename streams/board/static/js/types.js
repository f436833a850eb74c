/**
 * What the server sends; `streams/board/rows.py` says what each field means.
 *
 * @typedef {{number: number, event_id: string, at: number, wallet: string, label: ?string, side: "BUY"|"SELL",
 *   outcome: ?string, price: number, shares: number, micros: number, market: ?string, title: ?string, source: string,
 *   gap: boolean}} Order
 * @typedef {[orders: number, volume: number, flow: number, markets: number]} WalletSums
 * @typedef {{wallet: string, label: ?string, standing: ?string, gap: ?string, last: ?number, windows: WalletSums[]}} Wallet
 * @typedef {[orders: number, volume: number, flow: number, wallets: number, consensus: number]} MarketSums
 * @typedef {{market: string, title: ?string, slug: ?string, prices: [?string, number][], windows: MarketSums[]}} Market
 * @typedef {{horizon: string, state: string, reason: ?string, gain: ?number, then: number, now: ?number}} Grade
 * @typedef {{episode: string, state: string, rule: string, severity: string, scope: string, subject: string,
 *   message: string, reason: string, wallet: ?string, market: ?string, title: ?string, silenced: boolean,
 *   coverage: string, starts: number, ends: ?number, as_of: number, grades: Grade[]}} Alert
 * @typedef {{gap_id: string, wallet: string, state: string, cause: string, start: number, end: ?number,
 *   recovered: number, detail: ?string, at: number}} Gap
 * @typedef {{name: string, condition: string, behind: number, detail: string}} TopicState
 * @typedef {{now: number, rate: number, rates: number[], orders: number, unreadable: number, wallets: number,
 *   live: number, gaps: number, covered_until: ?number, firing: number, to_kafka: ?[number, number],
 *   to_alert: ?[number, number], topics: TopicState[]}} Strip
 * @typedef {{strip: Strip, orders?: Order[], wallets?: Wallet[], markets?: Market[], alerts?: Alert[], gaps?: Gap[],
 *   gone?: Object<string, string[]>}} Frame
 */

export const WINDOWS = ["1m", "5m", "1h", "24h"];
