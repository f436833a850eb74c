/** How numbers, times and addresses are written. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = new Intl.NumberFormat("en", { notation: "compact", minimumFractionDigits: 2, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number} micros micro-USDC */
export function money(micros) {
  const value = Math.abs(micros) / 1e6;
  return value < 1_000 ? cents.format(value) : value < 1e6 ? whole.format(value) : short.format(value);
}

/** @param {number} micros micro-USDC of many orders, whose cents only blur a column */
export function sum(micros) {
  const value = Math.abs(micros) / 1e6;
  return value < 10 ? cents.format(value) : value < 1e7 ? whole.format(value) : short.format(value);
}

/** @param {number} micros micro-USDC, with its sign written out: colour alone tells nobody everything */
export const flow = (micros) => (micros > 0 ? `+${sum(micros)}` : micros < 0 ? `−${sum(micros)}` : "0");

/** @param {number} micros */
export const tone = (micros) => (micros > 0 ? "up" : micros < 0 ? "down" : "muted");

/** @param {number} value USDC per share */
export const price = (value) => value.toFixed(3);

/** @param {number} raw raw shares */
export const shares = (raw) => (raw / 1e6 < 1_000 ? cents : whole).format(raw / 1e6);

/** @param {number} ratio */
export const percent = (ratio) => `${ratio > 0 ? "+" : ratio < 0 ? "−" : ""}${Math.abs(ratio * 100).toFixed(1)} %`;

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 1) return `${Math.round(Math.max(0, ms))} ms`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** @param {number} ms */
export const milliseconds = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${whole.format(ms)} ms` : duration(ms));

/** @param {number} ms how long ago something was */
export const ago = (ms) => (ms < 1_000 ? "now" : `${duration(ms)} ago`);

/** @param {number} at unix milliseconds */
export const time = (at) => clock.format(at);

/** @param {number} at */
export const hourMinute = (at) => minute.format(at);

/** @param {number} at @param {number} now */
export const when = (at, now) => (Math.abs(now - at) < 64_800_000 ? time(at) : `${day.format(at)} ${hourMinute(at)}`);

/** @param {number} at */
export const exact = (at) => new Date(at).toISOString();

/** @param {string} address */
export const brief = (address) => (address.length > 14 ? `${address.slice(0, 6)}…${address.slice(-4)}` : address);

/** @param {{wallet: string, label: ?string}} row */
export const walletName = (row) => row.label || brief(row.wallet);
