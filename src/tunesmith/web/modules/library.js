/** The library: the server's prompt log, searched, marked and brought back to the stage. */

import { NotFound } from "../js/src/index.js";
import { factsOf, factsOfTrack } from "./facts.js";
import { Marks } from "./marks.js";
import { Newest } from "./newest.js";
import { newTake } from "./new_take.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { shelved, Store } from "./store.js";

/**
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("../js/src/index.js").Marks} GivenMarks
 */

/** Tracks of a request; a screen shows some fifteen. */
const PAGE = 50;
/** The pages that are kept: those around what is seen, whatever the length of the list. */
const MOST_PAGES = 12;
const VARIATIONS = 3;

/** Lists and marks tracks. */
export class Library {
  #store;
  #server;
  #marks;
  #lists = new Newest();
  /** Whether the list that is read now is the newest one; one that was asked for before is no longer of use. */
  #isNewest = this.#lists.begin();
  /** @type {Set<number>} */
  #loading = new Set();
  /** @type {number[]} */
  #seen = [0];
  /** What went wrong here last, which a success takes back. @type {import("./types.js").Problem | null} */
  #problem = null;

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
    this.#marks = new Marks(store, server);
    store.watch(
      (state) => [state.query, state.connection.state],
      (state) => state.connection.state === "open" && void this.refresh(),
    );
  }

  /** List the tracks of the query again; those that are shown stay until then. */
  async refresh() {
    this.#isNewest = this.#lists.begin();
    this.#loading.clear();
    const first = Math.min(...this.#seen);
    await this.#read(first, { isNew: true });
    await Promise.all(this.#seen.map((page) => this.#read(page, {})));
  }

  /**
   * Load the tracks between two places in the list, as far as they are not there.
   *
   * @param {number} first
   * @param {number} last exclusive
   */
  need(first, last) {
    const pages = [];
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page += 1) pages.push(page);
    this.#seen = pages.length ? pages : [0];
    for (const page of pages) void this.#read(page, {});
  }

  /**
   * Star, rate or tag a track.
   *
   * @param {string} id
   * @param {GivenMarks} marks
   */
  async mark(id, marks) {
    await this.#change(() => this.#marks.send(id, marks));
    // What is starred or not belongs to the list or not.
    if (this.#store.state.query.filter === "starred" && "starred" in marks) await this.refresh();
  }

  /**
   * Remove a track from the server's prompt log; a take of it stays, as one that is not listed.
   *
   * @param {string} id
   */
  async forget(id) {
    await this.#change(async () => {
      await this.#server.ask((client) => client.forget(id));
      const unlisted = { track: null, isStarred: false };
      const takes = this.#store.state.takes.map((take) => (take.track === id ? { ...take, ...unlisted } : take));
      this.#store.change({ takes, announcement: "Forgotten" });
    });
    await this.refresh();
  }

  /**
   * Make variations of a track, which keep what is locked, and return them as takes to be followed.
   *
   * @param {string} id
   * @param {boolean} stream whether they can be heard while they are made
   * @returns {Promise<Take[]>}
   */
  async vary(id, stream) {
    /** @type {Take[]} */
    const takes = [];
    await this.#change(async () => {
      const { locks } = this.#store.state;
      const wanted = locks.length ? { n: VARIATIONS, lock: locks } : VARIATIONS;
      for (const job of await this.#server.ask((client) => client.vary(id, wanted, { stream }))) {
        takes.push(newTake(job.request, { job: job.id, state: "queued" }));
      }
    });
    return takes;
  }

  /**
   * Return the tree of a track's variations; undefined if there is none.
   *
   * @param {string} id
   */
  async tree(id) {
    /** @type {import("./types.js").TrackNode | undefined} */
    let root;
    await this.#change(async () => {
      root = await this.#server.ask((client) => client.tree(id));
    });
    return root;
  }

  /**
   * Return the track of a finished take, whatever the list shows; undefined if there is none.
   *
   * @param {{track: string | null, job?: string | null}} take
   * @returns {Promise<Track | undefined>}
   */
  async trackOf({ job, track }) {
    const isIts = (/** @type {Track} */ one) => (track ? one.id === track : one.job === job);
    const listed = shelved(this.#store.state).find(isIts);
    if (listed) return listed;
    /** @type {Track[]} */
    let found = [];
    const ask = () =>
      this.#server.ask(async (client) => (track ? [await client.track(track)] : client.tracks({ limit: PAGE })));
    await this.#change(async () => {
      found = await this.#marks.read(ask);
    });
    return found.find(isIts);
  }

  /**
   * Return a track as a take, with what its job still knows of it.
   *
   * @param {Track} track
   * @returns {Promise<Take>}
   */
  async takeOf(track) {
    const facts = (track.job && (await this.#factsOfJob(track.job))) || factsOfTrack(track);
    return newTake(track.request, {
      job: track.job,
      track: track.id,
      isStarred: track.starred,
      state: "ready",
      progress: 1,
      facts,
    });
  }

  /** @param {string} id */
  async #factsOfJob(id) {
    try {
      const job = await this.#server.ask((client) => client.job(id));
      return job.result ? factsOf(job) : undefined;
    } catch (error) {
      // Jobs are kept for a while, tracks for good.
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  /**
   * @param {number} page
   * @param {{isNew?: boolean}} options a new list takes the place of the one that is shown
   */
  async #read(page, { isNew = false }) {
    const isThere = !isNew && this.#store.state.shelf.pages[page] !== undefined;
    if (isThere || this.#loading.has(page)) return;
    const isNewest = this.#isNewest;
    this.#loading.add(page);
    const { search, filter } = this.#store.state.query;
    const which = {
      search,
      limit: PAGE,
      offset: page * PAGE,
      ...(filter === "starred" ? { starred: true } : {}),
      ...(filter === "loops" ? { loop: true } : {}),
    };
    try {
      let total = 0;
      const tracks = await this.#marks.read(async () => {
        const answer = await this.#server.ask((client) => client.trackPage(which));
        total = answer.total;
        return answer.tracks;
      });
      if (!isNewest()) return;
      const { shelf } = this.#store.state;
      // Something was made or forgotten elsewhere, and every place after it is another one.
      if (!isNew && total !== shelf.total) return void this.refresh();
      const pages = isNew ? {} : shelf.pages;
      this.#store.change({ shelf: { total, pages: this.#near({ ...pages, [page]: tracks }) } });
      this.#clear();
    } catch (error) {
      if (isNewest()) this.#tell(error);
    } finally {
      if (isNewest()) this.#loading.delete(page);
    }
  }

  /**
   * Return the pages that are nearest to what is seen.
   *
   * @param {Record<number, Track[]>} pages
   */
  #near(pages) {
    const middle = this.#seen[this.#seen.length >> 1] ?? 0;
    const distance = (/** @type {string} */ page) => Math.abs(Number(page) - middle);
    const near = Object.entries(pages).sort(([one], [other]) => distance(one) - distance(other));
    return Object.fromEntries(near.slice(0, MOST_PAGES));
  }

  /** @param {() => Promise<void>} change */
  async #change(change) {
    try {
      await change();
      this.#clear();
    } catch (error) {
      this.#tell(error);
    }
  }

  /** @param {unknown} error */
  #tell(error) {
    this.#problem = inWords(error);
    this.#store.change({ notice: this.#problem });
  }

  #clear() {
    if (this.#problem && this.#store.state.notice === this.#problem) this.#store.change({ notice: null });
    this.#problem = null;
  }
}

/**
 * Return the track at a place in the list, undefined where it is not loaded.
 *
 * @param {import("./types.js").State} state
 * @param {number} at
 */
export function trackAt({ shelf }, at) {
  return shelf.pages[Math.floor(at / PAGE)]?.[at % PAGE];
}
