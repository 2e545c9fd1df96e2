/** Meter: bars in quarter notes and in felt beats, and the bar and beat at a position. */

import { shapeOf } from "./facts.js";
import { takeOf } from "./store.js";

/**
 * Return the quarter notes of a bar.
 *
 * @param {string | null} meter such as "6/8"
 */
export function beatsOfBar(meter) {
  const [beats = 4, unit = 4] = (meter ?? "4/4").split("/").map(Number);
  return (beats * 4) / unit;
}

/**
 * Return the beats of a bar that a foot taps, and the tempo counts: two in 6/8.
 *
 * @param {string} meter
 */
export function feltBeatsOfBar(meter) {
  const [beats = 4, unit = 4] = meter.split("/").map(Number);
  if (unit === 16) return beatsOfBar(meter);
  return unit === 8 && beats > 3 && beats % 3 === 0 ? beats / 3 : beats;
}

/**
 * Return the bar and the beat at a position, counted from 1, and their lengths in seconds; null for music without a known
 * tempo.
 *
 * @param {number} seconds
 * @param {import("./types.js").State} state
 */
export function beatAt(seconds, state) {
  const take = takeOf(state);
  const { tempoBpm, meter } = shapeOf(take) ?? {};
  if (!tempoBpm || !meter) return null;
  const beats = feltBeatsOfBar(meter);
  const usual = (60 / tempoBpm) * beats;
  // The score knows where bars start, also where the tempo changes.
  const starts = take?.written?.barStarts ?? [];
  const at = starts.findLastIndex((start) => start <= seconds + 1e-3);
  const bar = at >= 0 ? at : Math.floor(seconds / usual + 1e-6);
  const start = starts[at] ?? bar * usual;
  const barSeconds = at >= 0 && starts[at + 1] !== undefined ? (starts[at + 1] ?? 0) - start : usual;
  const beat = Math.floor(((seconds - start) / barSeconds) * beats + 1e-3);
  return { bar: bar + 1, beat: Math.max(0, Math.min(Math.ceil(beats) - 1, beat)) + 1, beatSeconds: barSeconds / beats, barSeconds };
}
