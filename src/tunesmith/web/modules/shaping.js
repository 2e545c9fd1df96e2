/** Shaping: sounds that are dropped or edited, and what installed models make of a sound. */

import { USUAL_SAMPLE_RATE } from "./facts.js";
import { newTake } from "./new_take.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Sounds } from "./sound.js";
import { Store, takeOf } from "./store.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").Facts} Facts
 * @typedef {"fit" | "loop" | "normalize" | "stitch" | "convert"} Edit
 */

/** Makes takes of files and edits. */
export class Shaping {
  #store;
  #server;
  #sounds;
  #shown;

  /**
   * @param {Store} store
   * @param {Server} server
   * @param {Sounds} sounds
   * @param {(id: string) => void} shown called with each new take, to bring it to the stage
   */
  constructor(store, server, sounds, shown) {
    this.#store = store;
    this.#server = server;
    this.#sounds = sounds;
    this.#shown = shown;
  }

  /**
   * Bring a sound file to the stage.
   *
   * @param {File} file
   */
  async open(file) {
    await this.#show(file, {
      title: file.name.replace(/\.[^.]*$/, ""),
      licence: { text: "Your own file", commercialUse: true, terms: "allowed", attribution: null },
    });
  }

  /**
   * Edit takes and bring the result to the stage beside them.
   *
   * @param {Edit} edit
   * @param {Take[]} takes one, or those to be stitched
   * @param {Record<string, string | number>} settings
   * @param {string} words what was done, for the title
   */
  async edit(edit, takes, settings, words) {
    this.#store.change({ announcement: "Working on it" });
    try {
      const content = await this.convert(edit, takes, settings);
      const title = takes.map((take) => take.facts?.title ?? "").join(" + ");
      await this.#show(content, {
        title: `${title}, ${words}`,
        licence: strictest(takes),
        isLoop: edit === "loop",
        bars: null,
        ...(edit === "normalize" ? { loudnessLufs: Number(settings.loudness_lufs) } : {}),
      });
    } catch (error) {
      this.#store.change({ notice: inWords(error), announcement: "" });
    }
  }

  /**
   * Return the file of an edit.
   *
   * @param {Edit} edit
   * @param {Take[]} takes
   * @param {Record<string, string | number>} settings
   */
  async convert(edit, takes, settings) {
    const sources = takes.map((take) => this.#sounds.fileOf(take.id) ?? take.track ?? "");
    const content = await this.#server.ask((client) => client.edit(edit, sources, settings));
    return new Blob([/** @type {BlobPart} */ (content)], { type: "audio/wav" });
  }

  /**
   * Return the file of a take.
   *
   * @param {Take} take
   * @returns {Promise<Blob>}
   */
  async fileOf(take) {
    const { track } = take;
    const own = this.#sounds.fileOf(take.id);
    if (own || !track) return own ?? new Blob();
    const content = await this.#server.ask((client) => client.trackFile(track));
    return new Blob([/** @type {BlobPart} */ (content)]);
  }

  /**
   * @param {Blob} file
   * @param {Partial<Facts> & {title: string, licence: import("./types.js").Licence}} known
   */
  async #show(file, known) {
    const take = newTake({ prompt: known.title }, { isLocal: true, state: "ready", progress: 1, facts: factsOf(known) });
    this.#sounds.hold(take.id, file);
    this.#store.change({ takes: [...this.#store.state.takes, take] });
    await this.#sounds.load(take.id);
    const duration = this.#sounds.of(take.id)?.buffer.duration;
    const shown = takeOf(this.#store.state, take.id);
    if (shown?.facts && duration) this.#store.changeTake(take.id, { facts: { ...shown.facts, duration } });
    this.#shown(take.id);
    this.#store.change({ announcement: `${known.title} is ready` });
  }
}

/**
 * Return the licence that the result of several takes has: the least free of theirs.
 *
 * @param {Take[]} takes
 */
function strictest(takes) {
  const licences = takes.flatMap(({ facts }) => (facts ? [facts.licence] : []));
  const unfree = licences.find((one) => one.commercialUse !== true);
  const [first] = licences;
  return unfree ?? first ?? { text: "Unknown licence", commercialUse: null, terms: "unknown", attribution: null };
}

/**
 * @param {Partial<Facts> & {title: string, licence: import("./types.js").Licence}} known
 * @returns {Facts}
 */
function factsOf(known) {
  return {
    key: null, tempoBpm: null, meter: null, bars: null, isLoop: false, seed: null, duration: 1, loudnessLufs: null,
    generateSeconds: null, sections: [], loopFrames: null, sampleRate: USUAL_SAMPLE_RATE, ...known,
  }; // prettier-ignore
}
