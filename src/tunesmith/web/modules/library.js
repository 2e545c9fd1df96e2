/** The library: the server's prompt log, searched, marked and brought back to the stage. */

import { NotFound } from "../js/src/index.js";
import { factsOf, factsOfTrack } from "./facts.js";
import { newTake } from "./new_take.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store } from "./store.js";

/**
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("../js/src/index.js").Marks} Marks
 */

const PAGE = 50;
const VARIATIONS = 3;
/** The rate of a file whose job is no longer kept. */
const USUAL_SAMPLE_RATE = 44_100;

/** Lists and marks tracks. */
export class Library {
  #store;
  #server;
  /** @type {AsyncGenerator<Track, void, undefined> | undefined} */
  #pages;
  #reading = 0;

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
    store.watch(
      (state) => [state.query, state.connection.state],
      (state) => state.connection.state === "open" && void this.refresh(),
    );
  }

  /** List the newest tracks of the query again. */
  async refresh() {
    const { search, filter } = this.#store.state.query;
    const which = { search, limit: PAGE, ...(filter === "starred" ? { starred: true } : {}) };
    this.#pages = this.#server.client.eachTrack(which);
    await this.#read([]);
  }

  /** List the tracks that follow. */
  async more() {
    await this.#read(this.#store.state.tracks);
  }

  /**
   * Star, rate or tag a track.
   *
   * @param {string} id
   * @param {Marks} marks
   */
  async mark(id, marks) {
    await this.#change(async (client) => {
      const track = await client.mark(id, marks);
      const { tracks, takes } = this.#store.state;
      this.#store.change({
        tracks: tracks.map((one) => (one.id === id ? track : one)),
        takes: takes.map((take) => (take.track === id ? { ...take, isStarred: track.starred } : take)),
      });
    });
  }

  /**
   * Remove a track from the server's prompt log.
   *
   * @param {string} id
   */
  async forget(id) {
    await this.#change(async (client) => {
      await client.forget(id);
      this.#store.change({
        tracks: this.#store.state.tracks.filter((one) => one.id !== id),
        announcement: "Forgotten",
      });
    });
  }

  /**
   * Make variations of a track and return them as takes to be followed.
   *
   * @param {string} id
   * @returns {Promise<Take[]>}
   */
  async vary(id) {
    /** @type {Take[]} */
    const takes = [];
    await this.#change(async (client) => {
      for (const job of await client.vary(id, VARIATIONS)) {
        takes.push(newTake(job.request, { job: job.id, state: "queued" }));
      }
    });
    return takes;
  }

  /**
   * Return the track of a finished take, whatever the list shows; undefined if there is none.
   *
   * @param {Take} take
   * @returns {Promise<Track | undefined>}
   */
  async trackOf({ job, track }) {
    const isIts = (/** @type {Track} */ one) => (track ? one.id === track : one.job === job);
    const listed = this.#store.state.tracks.find(isIts);
    if (listed) return listed;
    /** @type {Track[]} */
    let found = [];
    await this.#change(async (client) => {
      found = track ? [await client.track(track)] : await client.tracks({ limit: PAGE });
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
    const facts = (track.job && (await this.#factsOfJob(track.job))) || factsOfTrack(track, USUAL_SAMPLE_RATE);
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

  /** @param {Track[]} before */
  async #read(before) {
    const pages = this.#pages;
    const reading = (this.#reading += 1);
    if (!pages) return;
    const tracks = [...before];
    try {
      let more = true;
      while (more && tracks.length < before.length + PAGE) {
        const { done, value } = await pages.next();
        more = !done;
        if (value) tracks.push(value);
      }
      if (reading === this.#reading) this.#store.change({ tracks, hasMoreTracks: more, notice: null });
    } catch (error) {
      if (reading === this.#reading) this.#store.change({ notice: inWords(error) });
    }
  }

  /** @param {(client: import("../js/src/index.js").Tunesmith) => Promise<void>} change */
  async #change(change) {
    try {
      await this.#server.ask(change);
      this.#store.change({ notice: null });
    } catch (error) {
      this.#store.change({ notice: inWords(error) });
    }
  }
}

/**
 * Return the tracks in the order of the list: variations under the piece that they vary, takes under the first of their
 * run, where both are listed.
 *
 * @param {Track[]} tracks the newest first
 * @returns {{track: Track, isChild: boolean}[]}
 */
export function asTree(tracks) {
  const parents = parentsOf(tracks);
  /** @type {Map<string, Track[]>} */
  const children = new Map();
  for (const track of tracks) {
    const parent = parents.get(track.id);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), track]);
  }
  /** @param {Track} track @returns {{track: Track, isChild: boolean}[]} */
  const below = (track) =>
    (children.get(track.id) ?? []).flatMap((one) => [{ track: one, isChild: true }, ...below(one)]);
  return tracks
    .filter((track) => !parents.has(track.id))
    .flatMap((track) => [{ track, isChild: false }, ...below(track)]);
}

/**
 * Return the ids of the listed parents, by that of the child.
 *
 * @param {Track[]} tracks
 * @returns {Map<string, string>}
 */
function parentsOf(tracks) {
  const listed = new Set(tracks.map((track) => track.id));
  const parents = new Map();
  let run = tracks.at(-1);
  for (const track of [...tracks].reverse()) {
    const isOfRun = run !== track && run?.prompt === track.prompt;
    if (track.parent !== null && listed.has(track.parent)) parents.set(track.id, track.parent);
    else if (isOfRun && run) parents.set(track.id, run.id);
    else run = track;
  }
  return parents;
}
