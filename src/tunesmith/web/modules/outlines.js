/** Outlines of tracks without notes, for their figures; the latest are kept. */

import { Server } from "./server.js";

/** @typedef {import("./envelope.js").Envelope} Envelope */

const POINTS = 60;
const MOST_KEPT = 300;

/** Loads outlines, each once while it is kept. */
export class Outlines {
  #server;
  /** @type {Map<string, Promise<Envelope | undefined>>} */
  #outlines = new Map();

  /** @param {Server} server */
  constructor(server) {
    this.#server = server;
  }

  /**
   * Return the outline of a track; undefined if it cannot be had, and the row then goes without.
   *
   * @param {string} track
   * @returns {Promise<Envelope | undefined>}
   */
  of(track) {
    const known = this.#outlines.get(track);
    if (known) return known;
    const loading = this.#load(track);
    this.#outlines.set(track, loading);
    const oldest = this.#outlines.keys().next().value;
    if (this.#outlines.size > MOST_KEPT && oldest !== undefined) this.#outlines.delete(oldest);
    return loading;
  }

  /** @param {string} track */
  async #load(track) {
    try {
      const { peak, rms } = await this.#server.ask((client) => client.trackPeaks(track, POINTS));
      // A quiet piece is drawn as large as a loud one.
      const highest = Math.max(1, ...peak);
      const scaled = (/** @type {number[]} */ values) => Float32Array.from(values, (value) => value / highest);
      return { peaks: scaled(peak), rms: scaled(rms) };
    } catch {
      // Asked again when the row is seen again.
      this.#outlines.delete(track);
      return undefined;
    }
  }
}
