/** Sounds that a take has besides its mix: loaded on demand for the take on the stage, freed with it. */

import { TooLong } from "./memory.js";
import { inWords } from "./problems.js";
import { Store, takeOf } from "./store.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Facts} Facts
 *
 * @typedef {object} ExtraKind a kind of such sounds
 * @property {"stems" | "layers"} name of the part of the state that says how far they are
 * @property {Partial<State>} none the parts of the state without them
 * @property {string} begun what is announced when they are asked for
 * @property {string} ready and when they are there
 */

/**
 * Holds the sounds of at most one take.
 *
 * @template T
 */
export class ExtraSounds {
  #store;
  #kind;
  #load;
  /** @type {string | null} */
  #take = null;
  /** @type {T[]} */
  #sounds = [];

  /**
   * @param {Store} store
   * @param {ExtraKind} kind
   * @param {(track: string, facts: Facts) => AsyncIterable<T>} load yields them one after the other
   */
  constructor(store, kind, load) {
    this.#store = store;
    this.#kind = kind;
    this.#load = load;
    store.watch(
      (state) => [state.current],
      (state) => state.current !== this.#take && this.#free(),
    );
  }

  /**
   * The sounds of a take; none until all are decoded.
   *
   * @param {string | null} id
   * @returns {T[]}
   */
  of(id) {
    return id !== null && id === this.#take ? this.#sounds : [];
  }

  /** Load the sounds of the take on the stage; nothing if they are there or on their way. */
  async need() {
    const take = takeOf(this.#store.state);
    if (!take?.track || !take.facts || this.#take === take.id) return;
    const { id, track, facts } = take;
    const { name, begun, ready } = this.#kind;
    this.#take = id;
    this.#store.change({ [name]: "loading", announcement: begun });
    try {
      /** @type {T[]} */
      const sounds = [];
      for await (const sound of this.#load(track, facts)) {
        // Another take has come to the stage meanwhile.
        if (this.#take !== id) return;
        sounds.push(sound);
      }
      this.#sounds = sounds;
      this.#store.change({ [name]: "ready", announcement: ready });
    } catch (error) {
      if (this.#take !== id) return;
      this.#free();
      this.#store.change({ notice: error instanceof TooLong ? error.problem : inWords(error) });
    }
  }

  #free() {
    this.#take = null;
    this.#sounds = [];
    const { none } = this.#kind;
    const { state } = this.#store;
    const isThere = Object.entries(none).some(([name, value]) => state[/** @type {keyof State} */ (name)] !== value);
    if (isThere) this.#store.change(none);
  }
}
