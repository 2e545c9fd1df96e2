/** Stems: the parts of one take as sounds of their own, loaded when the mixer is first used. */

import { decoded } from "./decoding.js";
import { envelopeOf } from "./envelope.js";
import { ExtraSounds } from "./extra_sounds.js";
import { checkMemory } from "./memory.js";
import { isAltered } from "./mix.js";
import { Server } from "./server.js";
import { Store } from "./store.js";
import { unzipped } from "./zip.js";

/** Of a sample of the server's files. */
const FILE_BYTES = 3;

/**
 * @typedef {object} Stem
 * @property {string} part the name of the part, unique in its take
 * @property {AudioBuffer} buffer as long as the mix, sample by sample
 * @property {import("./envelope.js").Envelope} envelope
 */

/**
 * Holds the stems of the take on the stage.
 *
 * @extends {ExtraSounds<Stem>}
 */
export class Stems extends ExtraSounds {
  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    super(
      store,
      { name: "stems", none: { stems: null }, begun: "Loading the parts", ready: "The parts are ready" },
      (track, { sampleRate }) => stemsOf(server, track, sampleRate),
    );
    // Mixed before: it is heard as it was left.
    store.watch(
      (state) => [state.current],
      (state) => isAltered(state.mixes[state.current ?? ""]) && void this.need(),
    );
  }
}

/**
 * @param {Server} server
 * @param {string} track
 * @param {number} sampleRate
 * @returns {AsyncGenerator<Stem>}
 */
async function* stemsOf(server, track, sampleRate) {
  const files = unzipped(await server.ask((client) => client.trackFile(track, "stems", { mastered: true })));
  checkMemory(files.reduce((sum, { content }) => sum + content.length / FILE_BYTES, 0));
  // One after the other: each needs its file twice while it is decoded.
  for (const { name, content } of files) {
    const buffer = await decoded(content, sampleRate);
    yield { part: partName(name), buffer, envelope: envelopeOf(buffer) };
  }
}

/**
 * Return the part of a file: "07-vinyl-surface.wav" is "vinyl_surface".
 *
 * @param {string} file
 */
function partName(file) {
  return file.replace(/^\d+-/, "").replace(/\.wav$/, "").replaceAll("-", "_");
}
