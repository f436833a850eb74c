/** Pages about one thing, whose details are fetched when what the stream says of it has changed. */

const APART_MS = 1_000;

export class Fetched {
  #busy = false;
  #asked = 0;
  #done = new AbortController();
  /** @type {any} */ #seen = undefined;

  /**
   * @param {string} url
   * @param {(details: any) => void} show called with null where the server knows nothing of it
   */
  constructor(url, show) {
    this.url = url;
    this.show = show;
  }

  /** @param {any} version what to compare by identity: the row of the store @param {boolean} [always] */
  refresh(version, always = false) {
    const now = performance.now();
    if (this.#busy || (version === this.#seen && !always) || (this.#asked && now - this.#asked < APART_MS)) return;
    this.#busy = true;
    this.#asked = now;
    this.#seen = version;
    void this.#fetch().finally(() => { this.#busy = false; });
  }

  async #fetch() {
    try {
      const answer = await fetch(this.url, { signal: this.#done.signal });
      if (answer.ok) this.show(await answer.json());
      else if (answer.status === 404) this.show(null);
    } catch {
      this.#seen = undefined; // the connection is told of elsewhere; the next frame asks again
    }
  }

  close() {
    this.#done.abort();
  }
}
