/** A wallet's flow per minute: bought above the line, sold below, and the same as a table. */

import { h, s } from "./dom.js";
import { exact, flow, hourMinute, money } from "./format.js";

/** @typedef {[start: number, bought: number, sold: number]} Minute */

const HEIGHT = 200;
const LEFT = 56;
const BOTTOM = 20;
const TOP = 8;

/** @param {number} value @returns {number} the next of 1, 2, 5 times a power of ten */
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999) ?? value;
}

export class FlowChart {
  constructor() {
    this.drawing = h("div", { class: "chart" });
    this.rows = h("tbody");
    const heads = ["Minute", "Bought", "Sold", "Net"].map((name, index) => h("th", { scope: "col", class: index ? "number" : null }, name));
    this.details = h("details", {},
      h("summary", {}, "The same as a table"),
      h("table", {}, h("caption", { class: "unseen" }, "USDC bought and sold per minute"), h("thead", {}, h("tr", {}, ...heads)), this.rows));
    const swatch = (name, text) => {
      const mark = h("span", {}, text);
      mark.style.setProperty("--swatch", `var(--${name})`);
      return mark;
    };
    this.element = h("div", { class: "body" }, h("p", { class: "legend" }, swatch("up", "bought"), swatch("down", "sold")), this.drawing, this.details);
    /** @type {Minute[]} */ this.minutes = [];
    new ResizeObserver(() => this.#draw()).observe(this.drawing);
  }

  /** @param {Minute[]} minutes oldest first */
  update(minutes) {
    this.minutes = minutes;
    this.#draw();
    this.#table();
  }

  #draw() {
    const width = Math.max(280, this.drawing.clientWidth || 600);
    const most = Math.max(0, ...this.minutes.map((each) => Math.max(each[1], each[2])));
    const [bought, sold] = [1, 2].map((side) => this.minutes.reduce((sum, each) => sum + each[side], 0));
    const told = most ? `${money(bought)} USDC bought and ${money(sold)} sold, net ${flow(bought - sold)}.` : "No orders.";
    const top = ceiling(most || 1e6);
    const zero = TOP + (HEIGHT - TOP - BOTTOM) / 2;
    const scale = (zero - TOP) / top;
    const step = (width - LEFT - 4) / Math.max(1, this.minutes.length);
    const parts = [s("title", { id: "flow-title" }, "Flow per minute in the last hour"), s("desc", { id: "flow-told" }, told)];
    for (const value of [top, top / 2, 0, -top / 2, -top]) parts.push(...this.#grid(value, zero - value * scale, width));
    this.minutes.forEach(([start, buys, sells], index) => {
      const x = LEFT + index * step;
      const bar = { x: x.toFixed(1), width: Math.max(1, step - 2).toFixed(1) };
      if (buys) parts.push(s("rect", { ...bar, class: "bought", y: (zero - buys * scale).toFixed(1), height: Math.max(1, buys * scale).toFixed(1) }));
      if (sells) parts.push(s("rect", { ...bar, class: "sold", y: zero.toFixed(1), height: Math.max(1, sells * scale).toFixed(1) }));
      if (Math.floor(start / 60_000) % 15 === 0) parts.push(s("text", { x: x.toFixed(1), y: HEIGHT - 4, "text-anchor": "middle" }, hourMinute(start)));
    });
    this.drawing.replaceChildren(s("svg", { role: "img", "aria-labelledby": "flow-title flow-told", viewBox: `0 0 ${width} ${HEIGHT}` }, ...parts));
  }

  /** @param {number} value @param {number} y @param {number} width */
  #grid(value, y, width) {
    const line = s("line", { class: value ? "grid" : "zero", x1: LEFT, x2: width, y1: y.toFixed(1), y2: y.toFixed(1) });
    return [line, s("text", { x: LEFT - 8, y: (y + 4).toFixed(1), "text-anchor": "end" }, value ? short(value) : "0")];
  }

  #table() {
    const busy = this.minutes.filter((each) => each[1] || each[2]).reverse();
    const row = ([start, bought, sold]) =>
      h("tr", {},
        h("th", { scope: "row", title: exact(start) }, hourMinute(start)),
        ...[money(bought), money(sold), flow(bought - sold)].map((text) => h("td", { class: "number" }, text)));
    if (/** @type {HTMLDetailsElement} */ (this.details).open || !this.rows.childElementCount) this.rows.replaceChildren(...busy.map(row));
  }
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** @param {number} micros */
const short = (micros) => compact.format(Math.abs(micros) / 1e6);
