/** Intensity layers: the piece on the stage, calm to full, crossfaded while it plays. */

import { decoded } from "./decoding.js";
import { ExtraSounds } from "./extra_sounds.js";
import { checkMemory } from "./memory.js";
import { Server } from "./server.js";
import { Store } from "./store.js";

/** The intensities that are rendered, from which all others are crossfaded. */
export const STEPS = [0, 0.35, 0.7, 1];
const CHANNELS = 2;
/** How much quieter the calmest is, in LU: all layers are mastered to one loudness, and would seem equally strong. */
const RANGE_LU = 6;

/**
 * Holds the layers of the take on the stage.
 *
 * @extends {ExtraSounds<AudioBuffer>}
 */
export class IntensityLayers extends ExtraSounds {
  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    super(
      store,
      {
        name: "layers",
        none: { layers: null, intensity: null },
        begun: "Making the layers",
        ready: "The layers are ready",
      },
      (track, facts) => layersOf(server, track, facts),
    );
  }

  /**
   * The layers of a take with their gains at an intensity; none until they are decoded.
   *
   * @param {string | null} id
   * @param {number} intensity 0 to 1
   * @returns {import("./voice.js").Layer[]}
   */
  at(id, intensity) {
    const gains = gainsAt(intensity);
    return this.of(id).map((buffer, at) => ({ buffer, gain: gains[at] ?? 0 }));
  }
}

/**
 * @param {Server} server
 * @param {string} track
 * @param {import("./types.js").Facts} facts
 * @returns {AsyncGenerator<AudioBuffer>}
 */
async function* layersOf(server, track, { sampleRate, duration }) {
  checkMemory(STEPS.length * duration * sampleRate * CHANNELS);
  for (const intensity of STEPS) {
    const file = await server.ask((client) => client.trackFile(track, "audio", { format: "wav", intensity }));
    yield await decoded(file, sampleRate);
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
