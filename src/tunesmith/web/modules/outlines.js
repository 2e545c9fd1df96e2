/** Outlines of tracks without notes, for their figures: the newest wish first, a few at a time, the latest kept. */

import { Server } from "./server.js";

/**
 * @typedef {import("./envelope.js").Envelope} Envelope
 *
 * @typedef {object} Wish
 * @property {string} track
 * @property {(envelope: Envelope | undefined) => void} give
 */

const POINTS = 60;
const MOST_KEPT = 300;
/** Browsers open six connections to a server, and the sound goes first. */
const AT_ONCE = 2;
/** Two screens of rows; those before have been scrolled away. */
const MOST_WAITING = 40;
const DEADLINE_SECONDS = 5;

/** Loads outlines, each once while it is kept. */
export class Outlines {
  #server;
  /** @type {Map<string, Promise<Envelope | undefined>>} */
  #outlines = new Map();
  /** @type {Wish[]} */
  #waiting = [];
  #running = 0;

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
    /** @type {Promise<Envelope | undefined>} */
    const wished = new Promise((give) => this.#waiting.push({ track, give }));
    this.#outlines.set(track, wished);
    const oldest = this.#outlines.keys().next().value;
    if (this.#outlines.size > MOST_KEPT && oldest !== undefined) this.#outlines.delete(oldest);
    if (this.#waiting.length > MOST_WAITING) this.#give(this.#waiting.shift(), undefined);
    void this.#next();
    return wished;
  }

  async #next() {
    if (this.#running >= AT_ONCE) return;
    const wish = this.#waiting.pop();
    if (!wish) return;
    this.#running += 1;
    this.#give(wish, await this.#load(wish.track));
    this.#running -= 1;
    void this.#next();
  }

  /**
   * @param {Wish | undefined} wish
   * @param {Envelope | undefined} envelope undefined: it is asked for again when the row is seen again
   */
  #give(wish, envelope) {
    if (!wish) return;
    if (!envelope) this.#outlines.delete(wish.track);
    wish.give(envelope);
  }

  /** @param {string} track */
  async #load(track) {
    try {
      const { peak, rms } = await this.#server.ask((client) =>
        client.trackPeaks(track, POINTS, { deadline: DEADLINE_SECONDS }),
      );
      // A quiet piece is drawn as large as a loud one.
      const highest = Math.max(1, ...peak);
      const scaled = (/** @type {number[]} */ values) => Float32Array.from(values, (value) => value / highest);
      return { peaks: scaled(peak), rms: scaled(rms) };
    } catch {
      return undefined;
    }
  }
}
