/** Keyboard shortcuts; `?` lists them, and those of single letters can be switched off (WCAG 2.1.4). */

import { byId } from "./dom.js";
import { regionOf } from "./player.js";
import { beatAt } from "./meter.js";
import { goToSearch, openDrawer } from "./side_panel.js";
import { SHORTEST_SECONDS } from "./loop_source.js";
import { Store, takeOf } from "./store.js";

/**
 * @param {Store} store
 * @param {import("./player.js").Player} player
 * @param {{choose: (id: string) => void, cancel: () => void}} actions
 */
export function followKeys(store, player, actions) {
  const dialog = byId("keys", HTMLDialogElement);
  const letters = byId("letters", HTMLInputElement);
  byId("help").addEventListener("click", () => dialog.showModal());
  letters.addEventListener("change", () => store.change({ hasLetterKeys: letters.checked }));
  store.watch(
    (state) => [state.hasLetterKeys],
    (state) => {
      letters.checked = state.hasLetterKeys;
    },
  );
  addEventListener("keydown", (event) => {
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      document.querySelector("dialog[open], :popover-open")
    )
      return;
    if (event.key === "Escape") return leave(target, actions.cancel);
    if (target.closest("textarea, input:not([type=range]), select")) return;
    const run = actionOf(event, target, store, player, actions.choose);
    if (!run) return;
    event.preventDefault();
    run();
  });
}

/**
 * @param {HTMLElement} target
 * @param {() => void} cancel
 */
function leave(target, cancel) {
  const isDrawer = byId("side").hasAttribute("data-open");
  if (isDrawer) return openDrawer(false);
  if (target.closest("textarea, input, select")) return target.blur();
  cancel();
}

/**
 * Return what a key does; undefined if nothing.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} target
 * @param {Store} store
 * @param {import("./player.js").Player} player
 * @param {(id: string) => void} choose
 * @returns {(() => void) | undefined}
 */
function actionOf({ key, shiftKey }, target, store, player, choose) {
  const { state } = store;
  const isPress = target.closest("button, a, [role=tab]") !== null;
  const isSlider = target.closest("input[type=range]") !== null;
  if (key === " ") return isPress ? undefined : () => player.toggle();
  if (key === "ArrowLeft" || key === "ArrowRight") {
    return isSlider
      ? undefined
      : () => player.seek(player.position + (key === "ArrowLeft" ? -1 : 1) * stepOf(store, player, shiftKey));
  }
  if (key === "Home") return () => player.seek(0);
  if (!state.hasLetterKeys) return undefined;
  const numbered = /^[1-9]$/.test(key) ? state.takes[Number(key) - 1] : undefined;
  if (numbered) return () => choose(numbered.id);
  return lettersOf(store, player, choose)[key];
}

/**
 * @param {Store} store
 * @param {import("./player.js").Player} player
 * @param {(id: string) => void} choose
 * @returns {Record<string, (() => void) | undefined>}
 */
function lettersOf(store, player, choose) {
  const { previous } = store.state;
  return {
    x: previous ? () => choose(previous) : undefined,
    l: () => byId("loop").click(),
    "[": () => setEnd(store, player.position, "start"),
    "]": () => setEnd(store, player.position, "end"),
    h: () => byId("add-hit").click(),
    f: () => document.getElementById("star")?.click(),
    v: () => document.getElementById("vary")?.click(),
    d: () => document.getElementById("download")?.click(),
    p: () => byId("prompt").focus(),
    c: () => byId("change-words").focus(),
    "/": goToSearch,
    "?": () => byId("keys", HTMLDialogElement).showModal(),
  };
}

/**
 * Return a beat in seconds, with Shift a bar; a second, or five, where the tempo is unknown.
 *
 * @param {Store} store
 * @param {import("./player.js").Player} player
 * @param {boolean} isLong
 */
function stepOf(store, player, isLong) {
  const at = beatAt(player.position, store.state);
  if (!at) return isLong ? 5 : 1;
  return isLong ? at.barSeconds : at.beatSeconds;
}

/**
 * Set an end of the loop at a position.
 *
 * @param {Store} store
 * @param {number} position seconds
 * @param {"start" | "end"} which
 */
function setEnd(store, position, which) {
  const duration = takeOf(store.state)?.facts?.duration;
  if (duration === undefined) return;
  const before = regionOf({ ...store.state, isLooping: true }) ?? { start: 0, end: duration };
  const region = { ...before, [which]: position };
  // An end before the start: the other one gives way.
  if (region.end - region.start < SHORTEST_SECONDS)
    Object.assign(region, which === "start" ? { end: duration } : { start: 0 });
  if (region.end - region.start >= SHORTEST_SECONDS) store.change({ region, isLooping: true });
}
