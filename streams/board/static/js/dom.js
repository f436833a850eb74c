/** Elements without markup: what comes from outside is only ever text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element.
 * @param {string} tag
 * @param {Object<string, any>} [attributes] `on...` are listeners, `null`, `undefined` and `false` are left out
 * @param {...(Node|string|null)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (filled(document.createElement(tag), attributes, children));
}

/**
 * Make an element of a drawing.
 * @param {string} tag
 * @param {Object<string, any>} [attributes]
 * @param {...(Node|string|null)} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (filled(document.createElementNS(SVG, tag), attributes, children));
}

/**
 * @param {Element} element
 * @param {Object<string, any>} attributes
 * @param {(Node|string|null)[]} children
 */
function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * Set a text unless it is there already: an untouched node costs no layout, and keeps a selection.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A choice of few, as radio buttons that look like one control.
 * @param {string} name
 * @param {string} legend
 * @param {string[]} values
 * @param {string} chosen
 * @param {(value: string) => void} onchange
 */
export function choice(name, legend, values, chosen, onchange) {
  const options = values.map((value) =>
    h("label", {},
      h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }),
      value));
  return h("fieldset", { class: "switch" }, h("legend", { class: "unseen" }, legend), ...options);
}

/**
 * A card with a heading.
 * @param {string} title
 * @param {Node[]} tools
 * @param {...Node} children
 */
export function card(title, tools, ...children) {
  return h("section", { class: "card", "aria-label": title },
    h("div", { class: "head" }, h("h2", {}, title), ...tools), ...children);
}

/**
 * A list of facts.
 * @param {[string, string|Node][]} facts
 */
export function facts(facts) {
  return h("dl", { class: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
