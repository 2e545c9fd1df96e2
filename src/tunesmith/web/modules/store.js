/** The store: the state of the page in one place, with one way to change it. */

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Take} Take
 */

/** Holds the state, replaces parts of it, and tells those who watch these parts. */
export class Store {
  /** @type {State} */
  #state;
  /** @type {(() => void)[]} */
  #watchers = [];
  #isTelling = false;

  /** @param {State} initial */
  constructor(initial) {
    this.#state = initial;
  }

  /** The state now; its values are never changed in place. */
  get state() {
    return this.#state;
  }

  /**
   * Replace parts of the state. Watchers are told once for all changes of a task.
   *
   * @param {Partial<State>} parts
   */
  change(parts) {
    this.#state = { ...this.#state, ...parts };
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const tell of this.#watchers) tell();
    });
  }

  /**
   * Replace parts of the draft; what was wrong with it before is no longer shown.
   *
   * @param {Partial<import("./types.js").Draft>} parts
   */
  changeDraft(parts) {
    this.change({ draft: { ...this.#state.draft, ...parts }, askProblem: null });
  }

  /**
   * Replace parts of one take; does nothing for a take that is gone.
   *
   * @param {string} id
   * @param {Partial<Take>} parts
   */
  changeTake(id, parts) {
    this.change({ takes: this.#state.takes.map((take) => (take.id === id ? { ...take, ...parts } : take)) });
  }

  /**
   * Call `draw` now and whenever one of the selected values is another one.
   *
   * @param {(state: State) => unknown[]} select
   * @param {(state: State) => void} draw
   */
  watch(select, draw) {
    /** @type {unknown[] | undefined} */
    let before;
    const tell = () => {
      const now = select(this.#state);
      if (before && now.every((value, at) => Object.is(value, before?.[at]))) return;
      before = now;
      draw(this.#state);
    };
    this.#watchers.push(tell);
    tell();
  }
}

/**
 * Return a take of the state, undefined if there is none.
 *
 * @param {State} state
 * @param {string | null} [id] by default the take on the stage
 */
export function takeOf(state, id = state.current) {
  return state.takes.find((take) => take.id === id);
}

/**
 * Return the letter of the take at an index: A to Z, then numbers.
 *
 * @param {number} at
 */
export function letterOf(at) {
  return at < 26 ? String.fromCharCode(65 + at) : String(at + 1);
}

/**
 * Return the tracks that are loaded, in no order.
 *
 * @param {State} state
 * @returns {import("./types.js").Track[]}
 */
export function shelved({ shelf }) {
  return Object.values(shelf.pages).flat();
}
