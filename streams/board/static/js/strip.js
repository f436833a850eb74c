/** The figures at the top: how much comes, how fast, how complete. */

import { h, s, say } from "./dom.js";
import { ago, count, milliseconds } from "./format.js";

/** @typedef {import("./types.js").Strip} Strip */

const FIGURES = ["Orders per second", "Wire to Kafka", "Wire to alert", "Wallets live", "Gaps open", "Complete up to", "Alerts firing"];

export class StripView {
  /** @param {Element} region */
  constructor(region) {
    this.figures = FIGURES.map((name) => ({ value: h("dd", {}, "–"), sub: h("dd", { class: "sub" }), name }));
    this.line = s("polyline", { points: "" });
    this.spark = s("svg", { class: "spark", viewBox: "0 0 59 24", preserveAspectRatio: "none", "aria-hidden": "true" }, this.line);
    this.cells = this.figures.map((figure, index) =>
      h("div", { class: "figure" }, h("dt", {}, figure.name), figure.value, figure.sub, index === 0 ? this.spark : null));
    region.append(h("dl", { class: "figures" }, ...this.cells));
  }

  /** @param {Strip} strip */
  draw(strip) {
    const lag = strip.covered_until === null ? null : strip.now - strip.covered_until;
    const down = strip.wallets - strip.live;
    this.#set(0, strip.rate < 10 ? strip.rate.toFixed(1) : count(strip.rate), `${count(strip.orders)} read`);
    this.#latency(1, strip.to_kafka);
    this.#latency(2, strip.to_alert);
    this.#set(3, count(strip.live), `of ${count(strip.wallets)} watched`, down ? "warn" : "");
    this.#set(4, count(strip.gaps), !strip.wallets ? "no wallet is watched" : strip.gaps ? "under repair" : "nothing missing", strip.gaps ? "warn" : "");
    this.#set(5, lag === null ? "–" : ago(lag), "for every wallet", lag !== null && lag > 120_000 ? "warn" : "");
    this.#set(6, count(strip.firing), strip.unreadable ? `${count(strip.unreadable)} records unreadable` : "at present");
    const most = Math.max(1, ...strip.rates);
    this.line.setAttribute("points", strip.rates.map((rate, x) => `${x},${(23 - (22 * rate) / most).toFixed(1)}`).join(" "));
  }

  /** @param {number} index @param {?[number, number]} spread */
  #latency(index, spread) {
    if (spread) this.#set(index, milliseconds(spread[0]), `median; 99 %: ${milliseconds(spread[1])}`);
    else this.#set(index, "–", "nothing in 5 minutes");
  }

  /** @param {number} index @param {string} value @param {string} sub @param {string} [mood] */
  #set(index, value, sub, mood = "") {
    say(this.figures[index].value, value);
    say(this.figures[index].sub, sub);
    if (this.cells[index].dataset.mood !== mood) this.cells[index].dataset.mood = mood;
  }
}

/**
 * What is wrong with reading, in a sentence; empty when nothing is.
 * @param {Strip} strip
 */
export function trouble(strip) {
  const parts = [];
  const named = (condition) => strip.topics.filter((topic) => topic.condition === condition);
  const names = (topics) => topics.map((topic) => topic.name).join(", ");
  const [away, missing, behind] = [named("away"), named("missing"), named("catching-up")];
  if (away.length) parts.push(`Kafka does not answer (${names(away)}): ${away[0].detail}. What you see is from before.`);
  if (missing.length) parts.push(`No such topic yet: ${names(missing)}. Do connector and worker run, with the same TOPIC_PREFIX?`);
  // No figures here: each change would be read out.
  if (behind.length) parts.push(`Catching up with ${names(behind)}: what you see is not the present yet.`);
  return parts.join(" ");
}
