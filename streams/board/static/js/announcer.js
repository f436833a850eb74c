/** Tells screen readers of alerts, politely and seldom: a voice that never stops is no help. */

import { say } from "./dom.js";

const APART_MS = 15_000;

export class Announcer {
  /** @type {import("./types.js").Alert[]} */ #waiting = [];
  #told = 0;

  /** @param {Element} region */
  constructor(region) {
    this.region = region;
    setInterval(() => this.#tell(), 1_000);
  }

  /** @param {import("./types.js").Alert[]} alerts */
  add(alerts) {
    this.#waiting.push(...alerts);
    this.count = (this.count ?? 0) + alerts.length;
    this.#waiting = this.#waiting.slice(-1); // the latest is read out, the others are counted
  }

  #tell() {
    const latest = this.#waiting.pop();
    const now = performance.now();
    if (!latest) return;
    if (now - this.#told < APART_MS && this.#told) {
      this.#waiting.push(latest);
      return;
    }
    const others = (this.count ?? 1) - 1;
    this.#told = now;
    this.count = 0;
    say(this.region, `Alert, ${latest.severity}: ${latest.message}${others > 0 ? `, and ${others} others` : ""}`);
  }
}
