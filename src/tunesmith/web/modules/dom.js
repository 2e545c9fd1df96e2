/** Elements: make them, find them. Text is always text, never markup. */

/**
 * @typedef {object} Properties
 * @property {string} [class]
 * @property {Record<string, string | number | boolean>} [attributes] false leaves an attribute out
 * @property {Record<string, (event: any) => void>} [on] listeners
 */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Properties} [properties]
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  if (properties.class) made.className = properties.class;
  setAttributes(made, properties.attributes ?? {});
  for (const [event, listener] of Object.entries(properties.on ?? {})) made.addEventListener(event, listener);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * Set attributes; false removes one, except of ARIA, whose states are words.
 *
 * @param {Element} on
 * @param {Record<string, string | number | boolean>} attributes
 */
export function setAttributes(on, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value !== "boolean" || name.startsWith("aria-")) on.setAttribute(name, String(value));
    else on.toggleAttribute(name, value);
  }
}

/**
 * A button of the page.
 *
 * @param {string} kind its classes
 * @param {(Node | string | null)[] | string} content
 * @param {(event: MouseEvent) => void} press
 * @param {Record<string, string | number | boolean>} [attributes]
 */
export function button(kind, content, press, attributes = {}) {
  const children = typeof content === "string" ? [content] : content;
  return element(
    "button",
    { class: kind, attributes: { type: "button", ...attributes }, on: { click: press } },
    ...children,
  );
}

/**
 * An icon of the sprite in index.html.
 *
 * @param {string} name
 * @param {string} [kind]
 */
export function icon(name, kind = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  if (kind) svg.setAttribute("class", kind);
  svg.append(use);
  return svg;
}

/**
 * The element of index.html with an id; throws if there is none, or if it is of another kind.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{new (): T}} [kind]
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof (kind ?? HTMLElement))) throw new Error(`index.html has no such element: ${id}`);
  return /** @type {T} */ (found);
}

/**
 * Replace the buttons of a group; the focus stays at its place in the group.
 *
 * @param {HTMLElement} group
 * @param {HTMLElement[]} buttons
 */
export function replaceKeepingFocus(group, buttons) {
  const at = [...group.children].indexOf(/** @type {Element} */ (document.activeElement));
  group.replaceChildren(...buttons);
  if (at >= 0) buttons[Math.min(at, buttons.length - 1)]?.focus();
}

/**
 * Return a function that draws a place again, but not while something in it is pressed: browsers drop a click whose
 * element was replaced during the press. The latest draw follows the release.
 *
 * @template Value
 * @param {HTMLElement} place
 * @param {(value: Value) => void} draw
 * @returns {(value: Value) => void}
 */
export function unlessPressed(place, draw) {
  /** @type {Value} */
  let latest;
  let isWaiting = false;
  const drawLatest = () => {
    isWaiting = place.matches(":active");
    if (isWaiting) requestAnimationFrame(drawLatest);
    else draw(latest);
  };
  return (value) => {
    latest = value;
    if (!isWaiting) drawLatest();
  };
}
