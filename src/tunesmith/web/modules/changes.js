/** Changes: words such as "happier, without drums" for the take on the stage, what is understood, and the take made so. */

import { ApiError, DeadlineExceeded } from "../js/src/index.js";
import { isStreamed } from "./live_sound.js";
import { newTake } from "./new_take.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store, takeOf } from "./store.js";
import { capital, quoted } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").Problem} Problem
 */

const PAUSE_MS = 250;
/** What comes later is of no use: the words are others by then. */
const DEADLINE_SECONDS = 4;
const HINT = "Try: happier, slower, without drums, add a flute, as a waltz, 16 bars.";

/** Understands the words of the line "Change it", and makes what they ask for. */
export class Changes {
  #store;
  #server;
  #made;
  #reading = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Store} store
   * @param {Server} server
   * @param {(take: Take) => void} made called with each take that a change has begun
   */
  constructor(store, server, made) {
    this.#store = store;
    this.#server = server;
    this.#made = made;
    store.watch(
      (state) => [state.wish.words, takeOf(state)?.track, state.connection.state],
      () => this.#read(),
    );
  }

  /**
   * Take other words.
   *
   * @param {string} words
   */
  say(words) {
    const { wish } = this.#store.state;
    // What was understood stays until more is known, so that the chips do not flicker.
    this.#store.change({ wish: { ...wish, words, understood: words.trim() ? wish.understood : null, problem: null } });
  }

  /** Make the take on the stage again with the change, beside itself and of the same seed. */
  async make() {
    const { wish } = this.#store.state;
    const take = takeOf(this.#store.state);
    const words = wish.words.trim();
    if (!take?.track || !words || wish.isSending) return;
    const { track } = take;
    this.#store.change({ wish: { ...wish, isSending: true, problem: null } });
    try {
      const takes = await this.#begun(track, { prompt: words }, isStreamed(take.request));
      this.#sent(words);
      for (const one of takes) this.#made(one);
    } catch (error) {
      this.#store.change({ wish: { ...this.#store.state.wish, isSending: false, problem: problemOf(error) } });
    }
  }

  /** @param {string} words that are no longer needed; others may have been typed since */
  #sent(words) {
    const { wish } = this.#store.state;
    const isNew = wish.words.trim() !== words;
    const left = isNew ? wish : { words: "", understood: null, problem: null };
    this.#store.change({ wish: { ...left, isSending: false } });
  }

  /**
   * Make a take again with fields of its request changed, beside itself and as its variation.
   *
   * @param {Take} take
   * @param {Record<string, unknown>} fields
   */
  async set(take, fields) {
    const { track } = take;
    if (!track) return;
    try {
      const takes = await this.#begun(track, fields, isStreamed({ ...take.request, ...fields }));
      for (const one of takes) this.#made(one);
    } catch (error) {
      const problem = inWords(error);
      this.#store.change(problem.field ? { askProblem: problem } : { notice: problem });
    }
  }

  /**
   * Have a track made again with a change, and return the takes that it has begun.
   *
   * @param {string} track
   * @param {Record<string, unknown>} change
   * @param {boolean} stream whether they can be heard while they are made
   */
  async #begun(track, change, stream) {
    // Asked once more: words may be newer than what was understood of them.
    const understood = await this.#server.ask((client) => client.understand(track, change));
    const jobs = await this.#server.ask((client) => client.vary(track, change, { stream }));
    return jobs.map((job) => newTake(job.request, { job: job.id, state: "queued", change: understood }));
  }

  #read() {
    clearTimeout(this.#timer);
    this.#reading.abort();
    const { wish, connection } = this.#store.state;
    const track = takeOf(this.#store.state)?.track;
    if (!track || !wish.words.trim() || connection.state !== "open") return;
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#timer = setTimeout(() => void this.#understand(track, wish.words.trim(), signal), PAUSE_MS);
  }

  /**
   * @param {string} track
   * @param {string} words
   * @param {AbortSignal} signal
   */
  async #understand(track, words, signal) {
    const tell = (/** @type {Partial<import("./types.js").Wish>} */ parts) =>
      this.#store.change({ wish: { ...this.#store.state.wish, ...parts } });
    try {
      const understood = await this.#server.ask((client) =>
        client.understand(track, words, { signal, deadline: DEADLINE_SECONDS }),
      );
      tell({ understood, problem: null });
    } catch (error) {
      // Newer words took their place; a busy server is asked when the take is made.
      if (!signal.aborted && !(error instanceof DeadlineExceeded)) tell({ understood: null, problem: problemOf(error) });
    }
  }
}

/**
 * Return in words why a change cannot be made.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
function problemOf(error) {
  if (!(error instanceof ApiError) || error.field !== "prompt") return inWords(error);
  const message = error.message.replace(/^prompt: /, "").replace(/^change nothing: /, "");
  const title = `${capital(quoted(message)).replace(/\.$/, "")}.`;
  return { title, advice: message.startsWith("not understood") ? HINT : "" };
}
