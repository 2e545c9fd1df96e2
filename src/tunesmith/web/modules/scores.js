/** Scores: what the composer has written for a take, which is there before it sounds. */

import { NotFound } from "../js/src/index.js";
import { isComposed } from "./facts.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store, takeOf } from "./store.js";

/**
 * @typedef {import("../js/src/types.js").Score} Score
 * @typedef {import("./types.js").Part} Part
 * @typedef {import("./types.js").Written} Written
 */

/** From the leading part down, as a score has them; others come last. */
const ROLES = ["melody", "counter", "arpeggio", "chords", "pad", "drone", "bass", "drums", "percussion", "effects"];

/** Loads the scores of takes, each once. */
export class Scores {
  #store;
  #server;
  /** @type {Set<string>} */
  #loading = new Set();

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
  }

  /**
   * Load the score of a take by its track, or else by its job; nothing if it is there, or if another model makes it.
   *
   * @param {string} id
   */
  async load(id) {
    const take = takeOf(this.#store.state, id);
    const isThere = this.#store.state.parts[id] && take?.written;
    if (!take || isThere || this.#loading.has(id)) return;
    if (!isComposed(take) && take.request.guide === undefined && !take.request.perform) return;
    const { track, job } = take;
    if (!track && !job) return;
    this.#loading.add(id);
    try {
      const score = await this.#server.ask((client) => (track ? client.trackScore(track) : client.score(job ?? "")));
      this.#store.change({ parts: { ...this.#store.state.parts, [id]: partsOf(score) } });
      this.#store.changeTake(id, { written: writtenOf(score) });
    } catch (error) {
      // The music is there without its notes; the stage shows the waveform alone.
      if (!(error instanceof NotFound)) this.#store.change({ announcement: `Without notes: ${inWords(error).title}` });
    } finally {
      this.#loading.delete(id);
    }
  }
}

/**
 * @param {Score} score
 * @returns {Part[]}
 */
export function partsOf(score) {
  const rank = (/** @type {string} */ role) => (ROLES.includes(role) ? ROLES.indexOf(role) : ROLES.length);
  const parts = [...score.parts].sort((one, other) => rank(one.role) - rank(other.role));
  return parts.map(({ name, label, is_drums: isDrums, notes }) => ({
    name,
    instrument: label,
    isDrums,
    notes: notes.map(([start, length, pitch, velocity]) => ({ start, length, pitch, velocity })),
  }));
}

/**
 * @param {Score} score
 * @returns {Written}
 */
function writtenOf({ title, key, tempo_bpm: tempoBpm, meter, bars, duration, ...score }) {
  const { loop: isLoop, sections, chords, bar_starts: barStarts, is_exact: isExact } = score;
  return { title, key, tempoBpm, meter, bars, duration, isLoop, sections, chords, barStarts, isExact };
}
