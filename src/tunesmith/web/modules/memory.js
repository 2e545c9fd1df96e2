/** The memory that decoded sounds may take. */

import { size } from "./words.js";

/** More would crowd a phone. */
const MAX_BYTES = 600e6;
const BYTES_PER_SAMPLE = 4;

/** The sounds of a take are too long to be decoded; `problem` says so to people. */
export class TooLong extends Error {
  /** @param {number} bytes */
  constructor(bytes) {
    super(`the sounds need ${bytes} bytes, at most ${MAX_BYTES} are taken`);
    this.problem = {
      title: "This take is too long to be mixed here",
      advice: `It would need ${size(bytes)} of memory, at most ${size(MAX_BYTES)} are taken. Download its stems instead.`,
    };
  }
}

/**
 * Throw TooLong if sounds take too much memory.
 *
 * @param {number} samples of all channels of all sounds
 */
export function checkMemory(samples) {
  if (samples * BYTES_PER_SAMPLE > MAX_BYTES) throw new TooLong(samples * BYTES_PER_SAMPLE);
}
