/** More like this: which decisions variations keep, and the tree of what varies what. */

import { changedInWords } from "./differences.js";
import { button, element, icon } from "./dom.js";
import { closePopover, openPopover, placeAgain } from "./popover.js";
import { Store } from "./store.js";
import { capital } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").TrackNode} TrackNode
 *
 * @typedef {object} LikeThisActions
 * @property {(take: Take) => void} vary
 * @property {(take: Take) => Promise<TrackNode | undefined>} tree
 * @property {(track: string) => void} open
 */

/** What can be kept, and what it is. */
const LOCKS = {
  melody: "themes and their ornaments; with them the key",
  chords: "progressions and voicings; with them the key",
  band: "who plays which instrument",
  groove: "drum grooves and fills, patterns of bass and accompaniment",
  tempo: "the tempo",
  key: "the key",
  form: "the sections, and who plays when",
};

/**
 * Open the popover of a take.
 *
 * @param {HTMLElement} opener
 * @param {Take} take
 * @param {Store} store
 * @param {LikeThisActions} actions
 */
export function openLikeThis(opener, take, store, actions) {
  const vary = button("plain strong", [icon("branch"), "Vary"], () => {
    closePopover();
    actions.vary(take);
  });
  const tree = element("div", { class: "tree", attributes: { "aria-busy": true } });
  openPopover(opener, "More like this", [
    element("h3", {}, "More like this"),
    element("p", {}, "Three takes with other seeds. Keep what you like of this one:"),
    locksOf(store),
    element("div", { class: "row" }, vary),
    tree,
  ]);
  void showTree(tree, take, actions).then(() => placeAgain(opener));
}

/** @param {Store} store */
function locksOf(store) {
  const group = element("div", { class: "chips locks", attributes: { role: "group", "aria-label": "Keep" } });
  for (const [name, meaning] of Object.entries(LOCKS)) {
    const chip = button("chip", [icon("lock"), capital(name)], () => {
      const { locks } = store.state;
      const isKept = locks.includes(name);
      store.change({ locks: isKept ? locks.filter((one) => one !== name) : [...locks, name] });
      show(!isKept);
    }, { title: `Keep ${meaning}` }); // prettier-ignore
    const show = (/** @type {boolean} */ isKept) => {
      chip.setAttribute("aria-pressed", String(isKept));
      chip.classList.toggle("locked", isKept);
    };
    show(store.state.locks.includes(name));
    group.append(chip);
  }
  return group;
}

/**
 * @param {HTMLElement} place
 * @param {Take} take
 * @param {LikeThisActions} actions
 */
async function showTree(place, take, actions) {
  const root = await actions.tree(take);
  place.setAttribute("aria-busy", "false");
  // A piece on its own has no tree.
  if (!root?.children.length) return place.remove();
  place.append(
    element("h4", {}, "What varies what"),
    element("ul", {}, branchOf(root, take.track, (track) => {
      closePopover();
      actions.open(track);
    })),
  ); // prettier-ignore
  place.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

/**
 * @param {TrackNode} node
 * @param {string | null} current
 * @param {(track: string) => void} open
 * @returns {HTMLElement}
 */
function branchOf(node, current, open) {
  const isCurrent = node.id === current;
  return element(
    "li",
    {},
    button("", changedInWords(node.changed), () => open(node.id), isCurrent ? { "aria-current": "true" } : {}),
    node.children.length
      ? element("ul", {}, ...node.children.map((child) => branchOf(child, current, open)))
      : null,
  );
}
