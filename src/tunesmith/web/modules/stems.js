/** Stems: the parts of one take as sounds of their own, loaded when the mixer is first used, freed with the take. */

import { envelopeOf } from "./envelope.js";
import { isAltered } from "./mix.js";
import { checkMemory, TooLong } from "./memory.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store, takeOf } from "./store.js";
import { unzipped } from "./zip.js";

/** Of a sample of the server's files. */
const FILE_BYTES = 3;

/**
 * @typedef {object} Stem
 * @property {string} part the name of the part, unique in its take
 * @property {AudioBuffer} buffer as long as the mix, sample by sample
 * @property {import("./envelope.js").Envelope} envelope
 */

/** Holds the stems of at most one take. */
export class Stems {
  #store;
  #server;
  /** @type {string | null} */
  #take = null;
  /** @type {Stem[]} */
  #stems = [];
  /** @type {Promise<void> | null} */
  #loading = null;

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
    store.watch(
      (state) => [state.current],
      (state) => {
        if (state.current !== this.#take) this.#free();
        // Mixed before: it is heard as it was left.
        if (isAltered(state.mixes[state.current ?? ""])) void this.need();
      },
    );
  }

  /**
   * The stems of a take; none until they are decoded.
   *
   * @param {string | null} id
   * @returns {Stem[]}
   */
  of(id) {
    return id !== null && id === this.#take ? this.#stems : [];
  }

  /** Load the stems of the take on the stage; nothing if they are there or on their way. */
  async need() {
    const take = takeOf(this.#store.state);
    if (!take?.track || !take.facts || this.#take === take.id) return this.#loading ?? undefined;
    this.#take = take.id;
    this.#store.change({ stems: { take: take.id, state: "loading" }, announcement: "Loading the parts" });
    this.#loading = this.#load(take.id, take.track, take.facts.sampleRate).finally(() => (this.#loading = null));
    return this.#loading;
  }

  /**
   * @param {string} id
   * @param {string} track
   * @param {number} sampleRate
   */
  async #load(id, track, sampleRate) {
    try {
      const archive = await this.#server.ask((client) => client.trackFile(track, "stems", { mastered: true }));
      const stems = await decoded(archive, sampleRate);
      // Another take has come to the stage meanwhile.
      if (this.#take !== id) return;
      this.#stems = stems;
      this.#store.change({ stems: { take: id, state: "ready" }, announcement: "The parts are ready" });
    } catch (error) {
      if (this.#take !== id) return;
      this.#free();
      this.#store.change({ notice: error instanceof TooLong ? error.problem : inWords(error) });
    }
  }

  #free() {
    this.#take = null;
    this.#stems = [];
    if (this.#store.state.stems) this.#store.change({ stems: null });
  }
}

/**
 * @param {Uint8Array} archive
 * @param {number} sampleRate
 * @returns {Promise<Stem[]>}
 */
async function decoded(archive, sampleRate) {
  const files = unzipped(archive);
  checkMemory(files.reduce((sum, { content }) => sum + content.length / FILE_BYTES, 0));
  const context = new OfflineAudioContext(2, 1, sampleRate);
  /** @type {Stem[]} */
  const stems = [];
  // One after the other: each needs its file twice while it is decoded.
  for (const { name, content } of files) {
    const buffer = await context.decodeAudioData(/** @type {ArrayBuffer} */ (content.slice().buffer));
    stems.push({ part: partName(name), buffer, envelope: envelopeOf(buffer) });
  }
  return stems;
}

/**
 * Return the part of a file: "07-vinyl-surface.wav" is "vinyl_surface".
 *
 * @param {string} file
 */
function partName(file) {
  return file.replace(/^\d+-/, "").replace(/\.wav$/, "").replaceAll("-", "_");
}
