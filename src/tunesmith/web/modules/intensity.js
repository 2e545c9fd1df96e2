/** Intensity layers: the piece on the stage, calm to full, crossfaded while it plays. */

import { checkMemory, TooLong } from "./memory.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store, takeOf } from "./store.js";

/** The intensities that are rendered, from which all others are crossfaded. */
export const STEPS = [0, 0.35, 0.7, 1];
const CHANNELS = 2;
/** How much quieter the calmest is, in LU: all layers are mastered to one loudness, and would seem equally strong. */
const RANGE_LU = 6;

/** Holds the layers of at most one take. */
export class IntensityLayers {
  #store;
  #server;
  /** @type {string | null} */
  #take = null;
  /** @type {AudioBuffer[]} */
  #buffers = [];

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
    store.watch(
      (state) => [state.current],
      (state) => state.current !== this.#take && this.#free(),
    );
  }

  /**
   * The layers of a take with their gains at an intensity; none until they are decoded.
   *
   * @param {string | null} id
   * @param {number} intensity 0 to 1
   * @returns {import("./voice.js").Layer[]}
   */
  of(id, intensity) {
    if (id === null || id !== this.#take) return [];
    const gains = gainsAt(intensity);
    return this.#buffers.map((buffer, at) => ({ buffer, gain: gains[at] ?? 0 }));
  }

  /** Load the layers of the take on the stage; nothing if they are there or on their way. */
  async need() {
    const take = takeOf(this.#store.state);
    if (!take?.track || !take.facts || this.#take === take.id) return;
    const { id, track } = take;
    const { sampleRate, duration } = take.facts;
    this.#take = id;
    this.#store.change({ layers: { take: id, state: "loading" }, announcement: "Making the layers" });
    try {
      checkMemory(STEPS.length * duration * sampleRate * CHANNELS);
      /** @type {AudioBuffer[]} */
      const buffers = [];
      for (const intensity of STEPS) {
        const file = await this.#server.ask((client) => client.trackFile(track, "audio", { format: "wav", intensity }));
        const context = new OfflineAudioContext(2, 1, sampleRate);
        buffers.push(await context.decodeAudioData(/** @type {ArrayBuffer} */ (file.slice().buffer)));
        // Another take has come to the stage meanwhile.
        if (this.#take !== id) return;
      }
      this.#buffers = buffers;
      this.#store.change({ layers: { take: id, state: "ready" }, announcement: "The layers are ready" });
    } catch (error) {
      if (this.#take !== id) return;
      this.#free();
      this.#store.change({ notice: error instanceof TooLong ? error.problem : inWords(error) });
    }
  }

  #free() {
    this.#take = null;
    this.#buffers = [];
    const { layers, intensity } = this.#store.state;
    if (layers || intensity !== null) this.#store.change({ layers: null, intensity: null });
  }
}

/**
 * Return the gain of each layer at an intensity: two neighbours are crossfaded. They play the same notes at once, so
 * that their gains, not their powers, add up.
 *
 * @param {number} intensity 0 to 1
 */
export function gainsAt(intensity) {
  return STEPS.map((step, at) => {
    const before = STEPS[at - 1] ?? step;
    const after = STEPS[at + 1] ?? step;
    const share =
      intensity < step
        ? (intensity - before) / (step - before || 1)
        : 1 - (intensity - step) / (after - step || 1);
    const isNear = intensity === step || (intensity > before && intensity < after);
    return isNear ? share * 10 ** ((-RANGE_LU * (1 - step)) / 20) : 0;
  });
}
