/** Puts the page together: the stream fills the store, and once per frame the view that is open is drawn. */

import { Announcer } from "./announcer.js";
import { say } from "./dom.js";
import { time } from "./format.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { StripView, trouble } from "./strip.js";
import { AlertView } from "./views/alert.js";
import { AlertsView } from "./views/alerts.js";
import { CoverageView } from "./views/coverage.js";
import { MarketsView } from "./views/markets.js";
import { Overview } from "./views/overview.js";
import { WalletView } from "./views/wallet.js";
import { WalletsView } from "./views/wallets.js";

/** @typedef {{title: string, element: HTMLElement, draw: () => void, close?: () => void}} View */

const VIEWS = { "": Overview, wallets: WalletsView, wallet: WalletView, markets: MarketsView, alerts: AlertsView, alert: AlertView, coverage: CoverageView };
const UNDER = { wallet: "wallets", alert: "alerts" };

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const store = new Store();
const strip = new StripView(part("strip"));
const announcer = new Announcer(part("announcer"));
/** @type {?View} */ let view = null;
/** @type {import("./stream.js").State} */ let state = "connecting";
let paused = false;
let drawing = false;

/** Ask for one drawing with the next frame, however often this is called until then. */
function changed() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function draw() {
  const since = store.strip ? time(store.strip.now) : null;
  const text = { live: paused ? `paused at ${pausedAt}` : "live", connecting: "connecting …", reconnecting: since ? `reconnecting … data as of ${since}` : "reconnecting …" }[state];
  const connection = part("connection");
  say(connection, text);
  connection.dataset.state = paused && state === "live" ? "paused" : state;
  if (!store.strip || paused) return;
  strip.draw(store.strip);
  const wrong = trouble(store.strip);
  if (part("trouble").hidden !== !wrong) part("trouble").hidden = !wrong;
  say(part("trouble"), wrong);
  view?.draw();
}

let pausedAt = "";
part("pause").addEventListener("click", () => {
  paused = !paused;
  pausedAt = time(store.now);
  part("pause").setAttribute("aria-pressed", String(paused));
  changed();
});

/** @param {boolean} [first] whether the page has just been opened: then focus stays where it is */
function route(first = false) {
  const [name = "", argument = ""] = location.hash.replace(/^#\/?/, "").split("/");
  if (name === "main") return; // the skip link
  view?.close?.();
  const kind = VIEWS[name] ?? Overview;
  view = new kind(store, safely(argument), changed);
  part("main").replaceChildren(view.element);
  document.title = `${view.title} · walletstream`;
  for (const link of document.querySelectorAll(".views a")) {
    const here = link.getAttribute("href") === `#/${UNDER[name] ?? (VIEWS[name] ? name : "")}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (store.strip) view.draw(); // once, also while paused: a new view is not an update
  if (!first) {
    const heading = view.element.querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

/** @param {string} text */
function safely(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

addEventListener("hashchange", () => route());
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  part("main").focus();
});
route(true);
new Stream(
  (frame, everything) => {
    const fresh = store.apply(frame, everything);
    if (!paused) announcer.add(fresh);
    changed();
  },
  (next) => {
    if (next !== state) {
      state = next;
      changed();
    }
  },
);
