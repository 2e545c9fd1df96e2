/** Marks: stars, ratings and tags, shown at once, sent one after another, and not undone by older answers. */

import { Server } from "./server.js";
import { shelved, Store } from "./store.js";

/**
 * @typedef {import("./types.js").Track} Track
 * @typedef {Partial<Pick<Track, "starred" | "rating" | "tags">>} Marked the marks of a track, as far as they are known
 * @typedef {import("../js/src/index.js").Marks} GivenMarks
 */

/** Marks tracks, and knows what lists on their way may not know yet. */
export class Marks {
  #store;
  #server;
  /** The last mark of each track that is on its way. @type {Map<string, Promise<unknown>>} */
  #sending = new Map();
  /** What was marked while something was on its way, by track. @type {Map<string, Marked>} */
  #marked = new Map();
  /** Which mark was the last of a name, by track and name. @type {Map<string, GivenMarks>} */
  #newest = new Map();
  /** What the server last had of a track's marks, while some are on their way. @type {Map<string, Marked>} */
  #confirmed = new Map();
  #calls = 0;

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
  }

  /**
   * Mark a track after the marks before; where the server refuses, the page shows what was there, and the error is thrown.
   *
   * @param {string} id
   * @param {GivenMarks} given
   */
  async send(id, given) {
    const marks = "rating" in given ? { ...given, rating: given.rating || null } : { ...given };
    if (!this.#confirmed.has(id)) this.#confirmed.set(id, this.#known(id));
    for (const name of Object.keys(marks)) this.#newest.set(`${name} ${id}`, given);
    this.#show(id, marks);
    const before = this.#sending.get(id) ?? Promise.resolve();
    const sent = this.#during(async () => {
      // Its failure is said by whoever sent it.
      await before.catch(() => {});
      try {
        const { starred, rating, tags } = await this.#server.ask((client) => client.mark(id, given));
        this.#confirmed.set(id, { starred, rating, tags });
      } finally {
        this.#put(id, given);
      }
    });
    this.#sending.set(id, sent);
    try {
      await sent;
    } finally {
      if (this.#sending.get(id) === sent) this.#sending.delete(id);
    }
  }

  /**
   * Return tracks as the server has them, with the marks that were made since it was asked.
   *
   * @param {() => Promise<Track[]>} ask begins when the marks before it have arrived
   * @returns {Promise<Track[]>}
   */
  read(ask) {
    return this.#during(async () => {
      await Promise.allSettled(this.#sending.values());
      return (await ask()).map((track) => ({ ...track, ...this.#marked.get(track.id) }));
    });
  }

  /**
   * @template T
   * @param {() => Promise<T>} call
   * @returns {Promise<T>}
   */
  async #during(call) {
    this.#calls += 1;
    try {
      return await call();
    } finally {
      this.#calls -= 1;
      // What is asked from now on has all marks.
      if (!this.#calls) for (const known of [this.#marked, this.#newest, this.#confirmed]) known.clear();
    }
  }

  /**
   * Show what the server has in place of marks, except where a newer mark has taken their place.
   *
   * @param {string} id
   * @param {GivenMarks} given
   */
  #put(id, given) {
    const values = /** @type {Record<string, unknown>} */ (this.#confirmed.get(id));
    const names = Object.keys(given).filter((name) => this.#newest.get(`${name} ${id}`) === given && name in values);
    this.#show(id, Object.fromEntries(names.map((name) => [name, values[name]])));
  }

  /**
   * @param {string} id
   * @param {Marked} marks
   */
  #show(id, marks) {
    this.#marked.set(id, { ...this.#marked.get(id), ...marks });
    const { shelf, takes } = this.#store.state;
    const shown = (/** @type {Track[]} */ tracks) => tracks.map((one) => (one.id === id ? { ...one, ...marks } : one));
    this.#store.change({
      shelf: {
        ...shelf,
        pages: Object.fromEntries(Object.entries(shelf.pages).map(([page, tracks]) => [page, shown(tracks)])),
      },
      takes: takes.map((take) =>
        take.track === id && marks.starred !== undefined ? { ...take, isStarred: marks.starred } : take,
      ),
    });
  }

  /**
   * Return the marks of a track as far as the page knows them.
   *
   * @param {string} id
   * @returns {Marked}
   */
  #known(id) {
    const { state } = this.#store;
    const track = shelved(state).find((one) => one.id === id);
    if (track) return { starred: track.starred, rating: track.rating, tags: track.tags };
    const take = state.takes.find((one) => one.track === id);
    return take ? { starred: take.isStarred } : {};
  }
}
