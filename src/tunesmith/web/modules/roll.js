/** The piano roll of one part: its notes drawn once, those that sound over them. */

import { inks, surfaceOf } from "./canvas.js";

/**
 * @typedef {import("./types.js").Part} Part
 * @typedef {import("./types.js").Note} Note
 *
 * @typedef {object} Axis the time that a roll spans
 * @property {number} duration seconds
 * @property {number} bars
 */

const DRUM_SECONDS = 0.12;

/** Draws a part on two canvases, one above the other, so that playing changes only the upper one. */
export class Roll {
  #part;
  #notes;
  #lit;
  #longest;
  /** @type {Map<number, number>} */
  #rows;
  /** @type {Axis} */
  #axis = { duration: 1, bars: 0 };
  #shown = "";

  /**
   * @param {Part} part
   * @param {HTMLCanvasElement} notes
   * @param {HTMLCanvasElement} lit
   */
  constructor(part, notes, lit) {
    this.#part = { ...part, notes: [...part.notes].sort((one, other) => one.start - other.start) };
    this.#notes = notes;
    this.#lit = lit;
    this.#longest = part.isDrums ? DRUM_SECONDS : Math.max(0, ...part.notes.map(({ length }) => length));
    this.#rows = rowsOf(part);
  }

  /**
   * Draw every note anew, as after a change of the size or the theme.
   *
   * @param {Axis} axis
   */
  draw(axis) {
    this.#axis = axis;
    this.#shown = "";
    const surface = surfaceOf(this.#notes);
    if (!surface) return;
    const { pen, width, height } = surface;
    const { grid, note } = inks("grid", "note");
    pen.fillStyle = grid;
    for (let bar = 1; bar < axis.bars; bar += 1) pen.fillRect(Math.round((bar / axis.bars) * width), 0, 1, height);
    pen.fillStyle = note;
    for (const one of this.#part.notes) {
      pen.globalAlpha = 0.3 + 0.7 * (one.velocity / 127) ** 1.6;
      this.#fill(surface, one);
    }
    pen.globalAlpha = 1;
  }

  /**
   * Light the notes that sound at a position; null: none.
   *
   * @param {number | null} seconds
   */
  light(seconds) {
    const sounding = seconds === null ? [] : this.#soundingAt(seconds);
    const key = sounding.map(({ start, pitch }) => `${start} ${pitch}`).join();
    if (key === this.#shown) return;
    this.#shown = key;
    const surface = surfaceOf(this.#lit);
    if (!surface) return;
    surface.pen.fillStyle = inks("ember").ember;
    for (const note of sounding) this.#fill(surface, note);
  }

  /** @param {number} seconds */
  #soundingAt(seconds) {
    const { notes, isDrums } = this.#part;
    const found = [];
    for (let at = firstAfter(notes, seconds - this.#longest); at < notes.length; at += 1) {
      const note = /** @type {Note} */ (notes[at]);
      if (note.start > seconds) break;
      if (seconds < note.start + (isDrums ? DRUM_SECONDS : note.length)) found.push(note);
    }
    return found;
  }

  /**
   * @param {import("./canvas.js").Surface} surface
   * @param {Note} note
   */
  #fill({ pen, width, height }, { start, length, pitch }) {
    const { isDrums } = this.#part;
    const span = Math.max(isDrums ? 3 : 9, ...this.#rows.values());
    const thick = isDrums ? Math.min(5, height / (span + 2.5)) : Math.max(2.5, Math.min(4, height / (span + 2)));
    const wide = isDrums ? 3 : Math.max(2.5, (length / this.#axis.duration) * width - 1);
    const y = height - 6 - ((this.#rows.get(pitch) ?? 0) / span) * (height - 12 - thick) - thick;
    pen.fillRect((start / this.#axis.duration) * width, y, wide, thick);
  }
}

/**
 * Return the index of the first note that starts at a time or later.
 *
 * @param {Note[]} notes in the order of their starts
 * @param {number} seconds
 */
function firstAfter(notes, seconds) {
  let [low, high] = [0, notes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((notes[middle]?.start ?? 0) < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
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
