/** Takes as tabs above the stage: their melody, or how far they are. */

import { button, byId, element, unlessPressed } from "./dom.js";
import { drawFigure } from "./figure.js";
import { isBeingMade } from "./generation.js";
import { letterOf, Store } from "./store.js";
import { keyName } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").State} State
 */

/**
 * @param {Store} store
 * @param {import("./sound.js").Sounds} sounds
 * @param {(id: string) => void} choose
 */
export function showTakes(store, sounds, choose) {
  const list = byId("takes");
  const draw = unlessPressed(list, (/** @type {State} */ state) => {
    const focused = list.contains(document.activeElement);
    const tabs = state.takes.map((take, at) => tab(state, take, at, choose));
    list.replaceChildren(...tabs);
    byId("takes-row").hidden = !state.takes.length;
    state.takes.forEach((take, at) => drawMini(tabs[at], state, take, sounds));
    const chosen = tabs[state.takes.findIndex((take) => take.id === state.current)];
    if (focused) chosen?.focus();
    const row = byId("takes-row");
    if (chosen) row.scrollLeft = chosen.offsetLeft - (row.clientWidth - chosen.offsetWidth) / 2;
  });
  store.watch((state) => [state.takes, state.current, state.parts, state.heard, state.theme], draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(store.state));
  addEventListener("resize", () => draw(store.state));
}

/**
 * @param {State} state
 * @param {Take} take
 * @param {number} at
 * @param {(id: string) => void} choose
 */
function tab(state, take, at, choose) {
  const isChosen = take.id === state.current;
  const letter = element("span", { class: "letter" }, letterOf(at));
  const content = [element("span", { class: "sr" }, "Take "), letter, ...middleOf(take)];
  const attributes = { role: "tab", "aria-selected": isChosen, "aria-controls": "stage", tabindex: isChosen ? 0 : -1 };
  return button(`take ${take.state === "failed" ? "fail" : ""}`, content, () => choose(take.id), attributes);
}

/** @param {Take} take */
function middleOf(take) {
  if (take.state === "failed") return [element("span", { class: "dots" }), below("Not made", "")];
  if (isBeingMade(take)) {
    const done = element("i");
    done.style.setProperty("--p", String(take.progress));
    return [element("span", { class: "track" }, done), below(...progressOf(take))];
  }
  const { key = null, seed = null } = take.facts ?? {};
  const figure = element("canvas", { class: "mini", attributes: { "aria-hidden": true } });
  return [figure, below(key ? keyName(key) : "", seed === null ? "" : `seed ${seed}`)];
}

/**
 * Return how far a take is, and what is left.
 *
 * @param {Take} take
 * @returns {[string, string]}
 */
function progressOf({ state, stage, progress, position, etaSeconds, waitSeconds }) {
  if (state === "sending" && waitSeconds) return ["Waiting", `${waitSeconds} s`];
  if (state === "sending") return [stage ? "Unsent" : "Sending", ""];
  if (state === "queued")
    return [position === 1 ? "Next" : "Waiting", position && position > 1 ? `place ${position}` : ""];
  if (state === "loading") return ["Loading", ""];
  return [`${Math.round(progress * 100)} %`, etaSeconds ? `${etaSeconds.toFixed(1)} s left` : ""];
}

/** @param {string} first @param {string} second */
function below(first, second) {
  return element("span", { class: "sub" }, element("b", {}, first), element("span", {}, second));
}

/**
 * @param {HTMLElement | undefined} tab
 * @param {State} state
 * @param {Take} take
 * @param {import("./sound.js").Sounds} sounds
 */
function drawMini(tab, state, take, sounds) {
  const canvas = tab?.querySelector("canvas");
  if (!canvas) return;
  const melody = state.parts[take.id]?.find((part) => !part.isDrums);
  drawFigure(canvas, take.id === state.current, melody, sounds.of(take.id)?.envelope, take.facts?.duration ?? 1);
}
