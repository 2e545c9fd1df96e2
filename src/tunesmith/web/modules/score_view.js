/** The score: sections, waveform, loop region and the notes of each part, on one axis with the playhead. */

import { byId, setAttributes } from "./dom.js";
import { shapeOf } from "./facts.js";
import { beatAt } from "./meter.js";
import { regionOf } from "./player.js";
import { Store, takeOf } from "./store.js";
import { drawWave } from "./wave.js";
import { tenths } from "./words.js";

/** @typedef {import("./types.js").State} State */

/**
 * @param {Store} store
 * @param {import("./sound.js").Sounds} sounds
 * @param {import("./live_sound.js").LiveSounds} live
 * @param {import("./player.js").Player} player
 * @param {import("./lanes_view.js").Lanes} lanes
 * @param {import("./ruler_view.js").Ruler} ruler
 */
export function showScore(store, sounds, live, player, lanes, ruler) {
  const wave = byId("wave");
  const [future, past] = /** @type {HTMLCanvasElement[]} */ ([...wave.querySelectorAll("canvas")]);
  const heard = past?.parentElement;
  if (!future || !past || !heard) throw new Error("index.html has no canvases for the wave");
  const playhead = byId("playhead");
  // Asked for only when it may have changed: asking in every frame would cost a layout each time.
  let width = 0;

  /** @param {number} seconds */
  const showPosition = (seconds) => {
    const duration = shapeOf(takeOf(store.state))?.duration ?? 1;
    const share = Math.min(1, seconds / duration);
    // Both drawings are made once. A window moves over the one of the past, which moves back as far: nothing is painted.
    const pixels = share * width;
    heard.style.transform = `translateX(${(pixels - width).toFixed(1)}px)`;
    past.style.transform = `translateX(${(width - pixels).toFixed(1)}px)`;
    playhead.style.transform = `translateX(${pixels.toFixed(1)}px)`;
    lanes.follow(seconds);
    ruler.light(store.state.isPlaying ? seconds : null);
    const now = seconds.toFixed(1);
    if (wave.getAttribute("aria-valuenow") === now && wave.getAttribute("aria-valuemax") === String(duration)) return;
    setAttributes(wave, {
      "aria-valuemax": duration,
      "aria-valuenow": now,
      "aria-valuetext": spoken(seconds, store.state),
    });
  };
  const redraw = () => {
    const { state } = store;
    ruler.draw(state);
    width = wave.clientWidth;
    drawWaves();
    lanes.draw();
    showPosition(player.position);
  };
  const drawWaves = () => {
    const { state } = store;
    const [sound, growing] = [sounds.of(state.current), live.of(state.current)];
    const share = sound || !growing ? 1 : growing.arrived / growing.duration;
    const envelope = sound?.envelope ?? growing?.envelope;
    const bars = shapeOf(takeOf(state))?.bars ?? 0;
    drawWave(future, envelope, { time: "future", bars, share });
    drawWave(past, envelope, { time: "past", bars, share });
    // For who looks from outside: how many seconds of a piece that is being made are there.
    if (growing && !sound) wave.dataset.arrived = growing.arrived.toFixed(1);
    else delete wave.dataset.arrived;
  };

  store.watch(
    (state) => [takeOf(state)?.facts, takeOf(state)?.written, takeOf(state)?.track, state.current, state.heard, state.theme],
    (state) => {
      showLoudness(state);
      redraw();
    },
  );
  store.watch((state) => [state.arrived], drawWaves);
  store.watch((state) => [state.isLooping, state.region, takeOf(state)?.facts], showRegion);
  player.watchPosition(showPosition);
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  seekByPointer(wave, store, player);
}

/** @param {State} state */
function showLoudness(state) {
  const loudness = takeOf(state)?.facts?.loudnessLufs;
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
    return share * (shapeOf(takeOf(store.state))?.duration ?? 0);
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
