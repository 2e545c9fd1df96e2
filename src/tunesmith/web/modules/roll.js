/** The piano roll of one part; the notes that sound are lit. */

import { inks, surfaceOf } from "./canvas.js";

/** @typedef {import("./types.js").Part} Part */

const DRUM_SECONDS = 0.12;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Part} part
 * @param {{lit: number[], duration: number, bars: number}} look the notes that sound, by index; seconds
 */
export function drawRoll(canvas, part, { lit, duration, bars }) {
  const surface = surfaceOf(canvas);
  if (!surface) return;
  const { pen, width, height } = surface;
  const { grid, note, ember } = inks("grid", "note", "ember");
  pen.fillStyle = grid;
  for (let bar = 1; bar < bars; bar += 1) pen.fillRect(Math.round((bar / bars) * width), 0, 1, height);
  const rows = rowsOf(part);
  const span = Math.max(part.isDrums ? 3 : 9, Math.max(...rows.values()));
  const thick = part.isDrums ? Math.min(5, height / (span + 2.5)) : Math.max(2.5, Math.min(4, height / (span + 2)));
  part.notes.forEach(({ start, length, pitch, velocity }, at) => {
    const isLit = lit.includes(at);
    const wide = part.isDrums ? 3 : Math.max(2.5, (length / duration) * width - 1);
    const y = height - 6 - ((rows.get(pitch) ?? 0) / span) * (height - 12 - thick) - thick;
    pen.globalAlpha = isLit ? 1 : 0.3 + 0.7 * (velocity / 127) ** 1.6;
    pen.fillStyle = isLit ? ember : note;
    pen.fillRect((start / duration) * width, y, wide, thick);
  });
  pen.globalAlpha = 1;
}

/**
 * Return the indices of the notes that sound at a position.
 *
 * @param {Part} part
 * @param {number} seconds
 */
export function notesAt(part, seconds) {
  return part.notes.flatMap(({ start, length }, at) => {
    const sounds = part.isDrums ? DRUM_SECONDS : length;
    return seconds >= start && seconds < start + sounds ? [at] : [];
  });
}

/**
 * Return the row of each pitch, from below: a semitone each, for drums one for each sound.
 *
 * @param {Part} part
 * @returns {Map<number, number>}
 */
function rowsOf(part) {
  const pitches = [...new Set(part.notes.map((note) => note.pitch))].sort((one, other) => one - other);
  const lowest = pitches[0] ?? 0;
  return new Map(pitches.map((pitch, at) => [pitch, part.isDrums ? at : pitch - lowest]));
}
