/** The one popover of the page: a small dialog beside the button that opened it. */

import { button, byId } from "./dom.js";

const MARGIN = 12;
/** Room for the bar with the transport. */
const BOTTOM = 76;

/**
 * Open the popover beside a button; pressing elsewhere or Escape closes it, which gives the focus back.
 *
 * @param {HTMLElement} opener
 * @param {string} title
 * @param {(Node | null)[]} content
 */
export function openPopover(opener, title, content) {
  const popover = byId("pop");
  popover.replaceChildren(...content.filter((one) => one !== null));
  popover.setAttribute("aria-label", title);
  if (!popover.matches(":popover-open")) popover.showPopover();
  place(popover, opener);
  const first = popover.querySelector("input, select, button");
  if (first instanceof HTMLElement) first.focus();
  /** @param {Event} event */
  const giveBack = (event) => {
    if (!(event instanceof ToggleEvent) || event.newState !== "closed") return;
    popover.removeEventListener("toggle", giveBack);
    if (document.activeElement === document.body) successorOf(opener)?.focus();
  };
  popover.addEventListener("toggle", giveBack);
}

/**
 * Place the popover anew, as after its content has grown.
 *
 * @param {HTMLElement} opener
 */
export function placeAgain(opener) {
  const popover = byId("pop");
  if (popover.matches(":popover-open")) place(popover, successorOf(opener) ?? opener);
}

/** Close the popover. */
export function closePopover() {
  const popover = byId("pop");
  if (popover.matches(":popover-open")) popover.hidePopover();
}

/**
 * An item of a menu in the popover, which closes it and then acts.
 *
 * @param {(Node | string | null)[] | string} content
 * @param {() => void} act
 */
export function menuItem(content, act) {
  return button("", content, () => {
    closePopover();
    act();
  });
}

/**
 * @param {HTMLElement} popover
 * @param {HTMLElement} opener
 */
function place(popover, opener) {
  const at = opener.getBoundingClientRect();
  const box = popover.getBoundingClientRect();
  const left = at.left > innerWidth / 2 ? at.right - box.width : at.left;
  const isBelow = at.bottom + 8 + box.height <= innerHeight - BOTTOM || at.top < box.height + MARGIN;
  const top = isBelow ? Math.min(at.bottom + 8, innerHeight - MARGIN - box.height) : at.top - 8 - box.height;
  popover.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - box.width - MARGIN))}px`;
  popover.style.top = `${Math.max(MARGIN, top)}px`;
}

/**
 * Return a button, or the one with the same key that took its place when it was drawn anew.
 *
 * @param {HTMLElement} opener
 * @returns {HTMLElement | null}
 */
function successorOf(opener) {
  const { key } = opener.dataset;
  if (opener.isConnected || !key) return opener;
  return document.querySelector(`[data-key="${CSS.escape(key)}"]`);
}
