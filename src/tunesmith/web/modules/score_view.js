/** The score: sections, waveform, loop region and the notes of each part, on one axis with the playhead. */

import { byId, element, setAttributes } from "./dom.js";
import { regionOf } from "./player.js";
import { drawRoll, notesAt } from "./roll.js";
import { Store, takeOf } from "./store.js";
import { drawWave } from "./wave.js";
import { capital, counted, named, tenths } from "./words.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Part} Part
 *
 * @typedef {object} Lane
 * @property {Part} part
 * @property {HTMLCanvasElement} canvas
 * @property {string | null} lit the notes lit in the drawing; null: draw anew
 */

/**
 * @param {Store} store
 * @param {import("./sound.js").Sounds} sounds
 * @param {import("./player.js").Player} player
 */
export function showScore(store, sounds, player) {
  const wave = byId("wave");
  const canvas = /** @type {HTMLCanvasElement} */ (wave.querySelector("canvas"));
  /** @type {Lane[]} */
  let lanes = [];

  /** @param {number} seconds */
  const drawAt = (seconds) => {
    const { state } = store;
    const facts = takeOf(state)?.facts;
    const duration = facts?.duration ?? 1;
    const bars = facts?.bars ?? 0;
    drawWave(canvas, sounds.of(state.current)?.envelope, seconds / duration, bars);
    for (const lane of lanes) drawLane(lane, state.isPlaying ? notesAt(lane.part, seconds) : [], duration, bars);
    byId("score").style.setProperty("--p", String(Math.min(1, seconds / duration)));
    setAttributes(wave, {
      "aria-valuemax": duration,
      "aria-valuenow": seconds.toFixed(1),
      "aria-valuetext": spoken(seconds, state),
    });
  };
  const redraw = () => {
    for (const lane of lanes) lane.lit = null;
    drawAt(player.position);
  };

  store.watch(
    (state) => [state.current, state.parts],
    (state) => {
      lanes = (state.parts[state.current ?? ""] ?? []).map((part) => {
        const label = counted(part.notes.length, "note");
        return { part, canvas: element("canvas", { attributes: { role: "img", "aria-label": label } }), lit: null };
      });
      byId("lanes").replaceChildren(...lanes.map(({ part, canvas: roll }) => laneOf(part, roll)));
      redraw();
    },
  );
  store.watch(
    (state) => [takeOf(state)?.facts, state.heard, state.theme],
    (state) => {
      showSections(state);
      redraw();
    },
  );
  store.watch((state) => [state.isLooping, state.region, takeOf(state)?.facts], showRegion);
  player.watchPosition(drawAt);
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  seekByPointer(wave, store, player);
}

/**
 * Draw a lane if other notes sound than before.
 *
 * @param {Lane} lane
 * @param {number[]} lit
 * @param {number} duration seconds
 * @param {number} bars
 */
function drawLane(lane, lit, duration, bars) {
  const key = lit.join();
  if (key === lane.lit) return;
  lane.lit = key;
  drawRoll(lane.canvas, lane.part, { lit, duration, bars });
}

/** @param {Part} part @param {HTMLCanvasElement} roll */
function laneOf(part, roll) {
  const title = named(part.name || "Part");
  return element(
    "div",
    { class: "lane" },
    element("div", { class: "cell" }, element("span", { class: "name" }, title)),
    element("div", { class: "roll" }, roll),
  );
}

/** @param {State} state */
function showSections(state) {
  const facts = takeOf(state)?.facts;
  const share = (/** @type {number} */ seconds) => `${(seconds / (facts?.duration ?? 1)) * 100}%`;
  byId("ruler").replaceChildren(
    ...(facts?.sections ?? []).map(({ name, start, end }) => {
      const section = element("span", { class: "sec" }, capital(name));
      section.style.left = share(start);
      section.style.width = share(end - start);
      return section;
    }),
  );
  const loudness = facts?.loudnessLufs;
  byId("lufs").textContent = typeof loudness === "number" ? `${loudness} LUFS`.replace("-", "−") : "";
}

/** @param {State} state */
function showRegion(state) {
  const region = regionOf(state);
  const duration = takeOf(state)?.facts?.duration ?? 1;
  const bar = byId("region");
  bar.toggleAttribute("data-off", region === null);
  if (!region) return;
  bar.style.left = `${(region.start / duration) * 100}%`;
  bar.style.right = `${(1 - region.end / duration) * 100}%`;
}

/**
 * A click goes there, dragging scrubs; dragging along the upper edge draws the loop.
 *
 * @param {HTMLElement} wave
 * @param {Store} store
 * @param {import("./player.js").Player} player
 */
function seekByPointer(wave, store, player) {
  const secondsAt = (/** @type {PointerEvent} */ event) => {
    const box = wave.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    return share * (takeOf(store.state)?.facts?.duration ?? 0);
  };
  /** @type {number | null} */
  let loopFrom = null;
  wave.addEventListener("pointerdown", (event) => {
    wave.setPointerCapture(event.pointerId);
    loopFrom = event.clientY - wave.getBoundingClientRect().top < 14 ? secondsAt(event) : null;
    if (loopFrom === null) player.seek(secondsAt(event));
  });
  wave.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    if (loopFrom === null) return player.seek(secondsAt(event));
    const [start, end] = [loopFrom, secondsAt(event)].sort((one, other) => one - other);
    if (start !== undefined && end !== undefined && end - start > 0.1)
      store.change({ region: { start, end }, isLooping: true });
  });
}

/**
 * Return a position in words for screen readers.
 *
 * @param {number} seconds
 * @param {State} state
 */
function spoken(seconds, state) {
  const at = beatAt(seconds, state);
  return at ? `${tenths(seconds)}, bar ${at.bar}` : tenths(seconds);
}

/**
 * Return the bar and the beat at a position, counted from 1; null for music without a known tempo.
 *
 * @param {number} seconds
 * @param {State} state
 */
export function beatAt(seconds, state) {
  const { tempoBpm, meter } = takeOf(state)?.facts ?? {};
  if (!tempoBpm || !meter) return null;
  const beatsABar = Number(meter.split("/")[0]);
  const beat = (seconds * tempoBpm) / 60 + 1e-6;
  return {
    bar: Math.floor(beat / beatsABar) + 1,
    beat: Math.floor(beat % beatsABar) + 1,
    beatSeconds: 60 / tempoBpm,
    beatsABar,
  };
}
