/** The menu of a take that is in the library: rate it, tag it, make it again, forget it. */

import { button, element, icon } from "./dom.js";
import { closePopover, menuItem, openPopover } from "./popover.js";

/** @typedef {import("./types.js").Track} Track */

const RATINGS = [1, 2, 3, 4, 5];

/**
 * @param {HTMLElement} opener
 * @param {Track} track
 * @param {import("./library.js").Library} library
 * @param {HTMLElement[]} shapes what can be made of it
 * @param {{like: () => void, repeat: (track: Track) => void, ask: (track: Track) => void, forget: (track: Track) => void}} actions
 */
export function openTrackMenu(opener, track, library, shapes, actions) {
  const item = (/** @type {string} */ text, /** @type {(track: Track) => void} */ act) =>
    menuItem(text, () => act(track));
  openPopover(opener, "Rate, tag, reshape", [
    ratingOf(track, library),
    tagsOf(track, library),
    element("div", { class: "menu narrow-only" }, item("Vary, and keep…", actions.like)),
    element("div", { class: "menu" }, ...shapes),
    element(
      "div",
      { class: "menu" },
      item("Ask for it again, changed", actions.ask),
      item("Repeat it exactly", actions.repeat),
      item("Forget it", actions.forget),
    ),
  ]);
}

/**
 * @param {Track} track
 * @param {import("./library.js").Library} library
 */
function ratingOf(track, library) {
  const group = element("div", { class: "rate", attributes: { role: "group", "aria-label": "Rating" } });
  /** @param {number} rating */
  const show = (rating) => {
    group.replaceChildren(
      ...RATINGS.map((stars) =>
        button(stars <= rating ? "on" : "", [icon("star")], () => rate(stars === rating ? 0 : stars), {
          "aria-pressed": stars === rating,
          "aria-label": `${stars} of 5`,
        }),
      ),
    );
  };
  /** @param {number} rating */
  const rate = (rating) => {
    show(rating);
    void library.mark(track.id, { rating });
    /** @type {HTMLElement | null} */ (group.children[Math.max(0, rating - 1)] ?? null)?.focus();
  };
  show(track.rating ?? 0);
  return group;
}

/**
 * @param {Track} track
 * @param {import("./library.js").Library} library
 */
function tagsOf(track, library) {
  const box = element("input", {
    attributes: { id: "tags", value: track.tags.join(", "), autocomplete: "off", placeholder: "calm, level 2" },
  });
  const save = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void library.mark(track.id, {
      tags: box.value
        .split(",")
        .map((tag) => tag.trim())
        .filter(Boolean),
    });
    closePopover();
  };
  return element(
    "form",
    { class: "choice", on: { submit: save } },
    element("label", { attributes: { for: "tags" } }, "Tags, separated by commas"),
    box,
    element("button", { class: "plain", attributes: { type: "submit" } }, "Save"),
  );
}
