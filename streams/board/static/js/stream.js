/** The connection to the server: one stream of events, kept alive, its state told. */

const SILENCE_MS = 10_000; // the server says something every second
const LONGEST_MS = 15_000;

/**
 * @typedef {"connecting"|"live"|"reconnecting"} State
 * @typedef {(frame: import("./types.js").Frame, everything: boolean) => void} OnFrame
 */

export class Stream {
  /** @type {?EventSource} */ #source = null;
  #attempts = 0;
  #heard = 0;
  /** @type {number|undefined} */ #retry;

  /**
   * @param {OnFrame} onframe
   * @param {(state: State) => void} onstate
   */
  constructor(onframe, onstate) {
    this.onframe = onframe;
    this.onstate = onstate;
    setInterval(() => this.#watch(), 1_000);
    addEventListener("online", () => this.#again(0));
    addEventListener("pagehide", () => this.#source?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.#again(0); });
    this.#open();
  }

  #open() {
    this.#source?.close();
    const source = new EventSource("/events");
    this.#source = source;
    this.#heard = performance.now();
    source.addEventListener("snapshot", (event) => this.#take(event, true));
    source.addEventListener("changes", (event) => this.#take(event, false));
    source.onerror = () => this.#failed();
  }

  /** @param {MessageEvent<string>} event @param {boolean} everything */
  #take(event, everything) {
    this.#heard = performance.now();
    this.#attempts = 0;
    this.onstate("live");
    this.onframe(JSON.parse(event.data), everything);
  }

  #failed() {
    this.#source?.close();
    this.#source = null;
    this.onstate(this.#attempts === 0 && this.#heard === 0 ? "connecting" : "reconnecting");
    if (this.#attempts === 0) void this.#ask();
    this.#again(Math.min(LONGEST_MS, 500 * 2 ** this.#attempts) * (0.5 + Math.random() / 2));
    this.#attempts += 1;
  }

  /** An event source does not say why it failed: a session that is over is for the login page. */
  async #ask() {
    const answer = await fetch("/api/wallets/none", { method: "GET" }).catch(() => null);
    if (answer?.status === 401) location.assign("/login");
  }

  /** @param {number} delay */
  #again(delay) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), delay);
  }

  /** A connection that is half open tells nobody; silence does. */
  #watch() {
    if (this.#source && performance.now() - this.#heard > SILENCE_MS) this.#failed();
  }
}
