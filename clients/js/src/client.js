/** Tunesmith: the client; every call of a server is a method. */

import { Call, REAL_TIME } from "./deadline.js";
import { Clip } from "./clip.js";
import { InvalidRequest } from "./errors.js";
import { Exchange } from "./http.js";
import { newKey } from "./request_body.js";
import { filePieces, wholeFile } from "./downloads.js";
import { finished, followed, made, order, pathOf, statusOf, succeeded } from "./jobs.js";
import { pulled } from "./models.js";

const DEFAULT_URL = "http://127.0.0.1:8765";

/** How long a call may take in all, with every retry: enough for a model's cold start. */
const DEADLINE_SECONDS = 120;

/**
 * @typedef {import("./types.js").Wishes} Wishes
 * @typedef {import("./types.js").Job} Job
 * @typedef {import("./types.js").JobNews} JobNews
 * @typedef {import("./types.js").Track} Track
 *
 * @typedef {object} Options
 * @property {string} [baseUrl] in Node also from TUNESMITH_URL
 * @property {string} [token] in Node also from TUNESMITH_TOKEN
 * @property {number} [deadline] seconds that a call may take in all, retries included
 * @property {typeof globalThis.fetch} [fetch]
 * @property {import("./deadline.js").Time} [time] the clock and the chance to go by, for tests
 *
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] stops the call, which then throws the signal's reason
 * @property {number} [deadline] seconds that this call may take in all; follow and pull have none of their own
 *
 * @typedef {CallOptions & {progress?: (job: Job) => void}} WaitOptions
 *
 * @typedef {object} TrackQuery
 * @property {string} [search] words to look for
 * @property {string} [model]
 * @property {boolean} [starred]
 * @property {string} [tag]
 * @property {number} [limit] the newest so many; eachTrack asks for so many at once
 *
 * @typedef {object} Marks what to change; what is left out stays
 * @property {boolean} [starred]
 * @property {number} [rating] 1 to 5, or 0 for none
 * @property {string[]} [tags]
 */

/**
 * A client of one server. Every call tries again what may pass by itself, and throws ApiError (TokenRefused, NotFound,
 * ServerBusy), ServerUnreachable and DeadlineExceeded.
 */
export class Tunesmith {
  #exchange;
  #deadline;
  #time;

  /** @param {Options} [options] */
  constructor({ baseUrl, token, deadline = DEADLINE_SECONDS, fetch, time = REAL_TIME } = {}) {
    const secret = token ?? fromEnvironment("TUNESMITH_TOKEN");
    this.baseUrl = checkedUrl(baseUrl ?? fromEnvironment("TUNESMITH_URL") ?? DEFAULT_URL);
    /** @type {Record<string, string>} */
    const headers = secret ? { Authorization: `Bearer ${checkedToken(secret)}` } : {};
    this.#exchange = new Exchange(this.baseUrl, headers, fetch ?? globalThis.fetch);
    this.#deadline = deadline;
    this.#time = time;
  }

  /**
   * Make music and return it. It is one job however often a request is repeated; it is cancelled where the deadline
   * passes or the signal stops the call. Throws GenerationFailed where it could not be made.
   *
   * @param {string} prompt
   * @param {Wishes} [wishes]
   * @param {WaitOptions} [options] `progress` is called with the job as it goes on
   * @returns {Promise<Clip>}
   */
  async generate(prompt, wishes = {}, options = {}) {
    const call = this.#call(options);
    const { job, result } = await made(this.#exchange, prompt, wishes, call, options.progress);
    return new Clip(await wholeFile(this.#exchange, result.url, call), job, result);
  }

  /**
   * Make music and yield its file piece by piece; otherwise like generate.
   *
   * @param {string} prompt
   * @param {Wishes} [wishes]
   * @param {WaitOptions} [options]
   * @returns {AsyncGenerator<Uint8Array, void, undefined>}
   */
  async *stream(prompt, wishes = {}, options = {}) {
    const call = this.#call(options);
    const { result } = await made(this.#exchange, prompt, wishes, call, options.progress);
    yield* filePieces(this.#exchange, result.url, call);
  }

  /**
   * Hand a job in without waiting for it.
   *
   * @param {string} prompt
   * @param {Wishes} [wishes]
   * @param {CallOptions} [options]
   * @returns {Promise<Job>}
   */
  async submit(prompt, wishes = {}, options = {}) {
    const call = this.#call(options);
    return this.#exchange.document(await order(prompt, wishes), call);
  }

  /**
   * Return a job as it is now.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<Job>}
   */
  job(id, options = {}) {
    return this.#ask(statusOf(id), options);
  }

  /**
   * Return the newest jobs, of all states or of those given.
   *
   * @param {{states?: import("./types.js").JobState[], limit?: number}} [which]
   * @param {CallOptions} [options]
   * @returns {Promise<Job[]>}
   */
  async jobs({ states, limit } = {}, options = {}) {
    return (await this.#ask({ path: "/api/jobs", query: { state: states, limit }, wants: ["jobs"] }, options)).jobs;
  }

  /**
   * Wait for the end of a job and return it.
   *
   * @param {string} id
   * @param {WaitOptions} [options]
   * @returns {Promise<Job>}
   */
  wait(id, options = {}) {
    return finished(this.#exchange, id, this.#call(options), options.progress);
  }

  /**
   * Yield a job as it is and at every change until its end, when it is told whole; a stream that breaks is opened again.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {AsyncGenerator<JobNews & Partial<Job>, void, undefined>}
   */
  follow(id, options = {}) {
    return followed(this.#exchange, id, this.#calls(options));
  }

  /**
   * Return the file of a job that has succeeded; throws GenerationFailed for one that has not.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<Uint8Array>}
   */
  async audio(id, options = {}) {
    const call = this.#call(options);
    const { result } = succeeded(await this.#exchange.document(statusOf(id), call));
    return wholeFile(this.#exchange, result.url, call);
  }

  /**
   * Cancel a job unless it is finished, and return it as it then is.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<Job>}
   */
  cancel(id, options = {}) {
    return this.#ask({ method: "DELETE", path: pathOf(id) }, options);
  }

  /**
   * Return the newest tracks of the server's prompt log that fit.
   *
   * @param {TrackQuery} [which]
   * @param {CallOptions} [options]
   * @returns {Promise<Track[]>}
   */
  async tracks(which = {}, options = {}) {
    return (await this.#ask({ path: "/api/tracks", query: { ...which }, wants: ["tracks"] }, options)).tracks;
  }

  /**
   * Yield every track that fits, the newest first, asking for more as they are taken.
   *
   * @param {TrackQuery} [which]
   * @param {CallOptions} [options] the deadline is for each time it asks
   * @returns {AsyncGenerator<Track, void, undefined>}
   */
  async *eachTrack(which = {}, options = {}) {
    /** @type {number | null | undefined} */
    let before;
    do {
      const page = { path: "/api/tracks", query: { ...which, before }, wants: ["tracks", "next_before"] };
      const found = await this.#ask(page, options);
      yield* found.tracks;
      before = found.next_before;
    } while (before !== null);
  }

  /**
   * Return a track.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<Track>}
   */
  track(id, options = {}) {
    return this.#ask({ path: trackPath(id) }, options);
  }

  /**
   * Return a track's file, the notes of one that the composer made (MIDI), or its parts (WAV files in a ZIP).
   *
   * @param {string} id
   * @param {"audio" | "midi" | "stems"} [kind]
   * @param {CallOptions} [options]
   * @returns {Promise<Uint8Array>}
   */
  trackFile(id, kind = "audio", options = {}) {
    return wholeFile(this.#exchange, `${trackPath(id)}/${kind}`, this.#call(options));
  }

  /**
   * Star, rate or tag a track and return it.
   *
   * @param {string} id
   * @param {Marks} marks
   * @param {CallOptions} [options]
   * @returns {Promise<Track>}
   */
  mark(id, marks, options = {}) {
    return this.#ask({ method: "PATCH", path: trackPath(id), body: marks }, options);
  }

  /**
   * Hand in n variations of a track, with seeds that follow its own, and return their jobs.
   *
   * @param {string} id
   * @param {number} [n]
   * @param {CallOptions} [options]
   * @returns {Promise<Job[]>}
   */
  async vary(id, n = 5, options = {}) {
    const call = this.#call(options);
    const send = { method: "POST", path: `${trackPath(id)}/variations`, body: { n }, key: newKey(), wants: ["jobs"] };
    /** @type {{jobs: {id: string}[]}} */
    const { jobs } = await this.#exchange.document(send, call);
    return Promise.all(jobs.map((job) => this.#exchange.document(statusOf(job.id), call)));
  }

  /**
   * Remove a track from the prompt log.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<void>}
   */
  async forget(id, options = {}) {
    await this.#ask({ method: "DELETE", path: trackPath(id) }, options);
  }

  /**
   * Return the models that are on the server or can be pulled.
   *
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Model[]>}
   */
  async models(options = {}) {
    return (await this.#ask({ path: "/api/models", wants: ["models"] }, options)).models;
  }

  /**
   * Install a model on the server and yield what it tells on the way; wants a token of scope admin where there are
   * tokens.
   *
   * @param {string} model
   * @param {{name?: string, quantization?: string, revision?: string}} [wishes]
   * @param {CallOptions} [options]
   * @returns {AsyncGenerator<Record<string, unknown>, void, undefined>}
   */
  pull(model, wishes = {}, options = {}) {
    return pulled(this.#exchange, { model, ...wishes }, this.#calls(options));
  }

  /**
   * Return which models are in the server's memory, and when they leave.
   *
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").LoadedModel[]>}
   */
  async loaded(options = {}) {
    return (await this.#ask({ path: "/api/ps", wants: ["models"] }, options)).models;
  }

  /**
   * Return what the composer reads from a prompt, and why.
   *
   * @param {string} prompt
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Explanation>}
   */
  explain(prompt, options = {}) {
    return this.#ask({ method: "POST", path: "/api/explain", body: { prompt } }, options);
  }

  /**
   * Return the server's version.
   *
   * @param {CallOptions} [options]
   * @returns {Promise<string>}
   */
  async version(options = {}) {
    return (await this.#ask({ path: "/api/version", wants: ["version"] }, options)).version;
  }

  /** @param {CallOptions} options */
  #call({ signal, deadline = this.#deadline }) {
    return new Call(deadline, signal, this.#time);
  }

  /** @param {CallOptions} options */
  #calls({ signal, deadline = Infinity }) {
    const whole = new Call(deadline, signal, this.#time);
    return { whole, opening: () => new Call(Math.min(this.#deadline, whole.left), signal, this.#time) };
  }

  /**
   * @param {import("./http.js").Send} send
   * @param {CallOptions} options
   * @returns {Promise<any>}
   */
  #ask(send, options) {
    return this.#exchange.document(send, this.#call(options));
  }
}

/** @param {string} id */
function trackPath(id) {
  return `/api/tracks/${encodeURIComponent(id)}`;
}

/** @param {string} name */
function fromEnvironment(name) {
  const { process } = /** @type {{process?: {env?: Record<string, string>}}} */ (globalThis);
  return process?.env?.[name] || undefined;
}

/** @param {string} baseUrl */
function checkedUrl(baseUrl) {
  const url = /^https?:\/\/[^/?#]/i.test(baseUrl) && urlOf(baseUrl);
  if (!url) {
    const got = JSON.stringify(baseUrl).slice(0, 200);
    throw new InvalidRequest("baseUrl", `must be an address such as ${DEFAULT_URL}, got ${got}`);
  }
  if (url.username || url.password) throw new InvalidRequest("baseUrl", "must hold no user or password: fetch takes none");
  if (/[?#]/.test(baseUrl)) throw new InvalidRequest("baseUrl", "must end where its path does, without ? or #");
  return baseUrl.replace(/\/+$/, "");
}

/** @param {string} text */
function urlOf(text) {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** @param {string} token */
function checkedToken(token) {
  // fetch would refuse it too, and quote it in the error
  if (!/^[\x21-\x7e]+$/.test(token)) throw new InvalidRequest("token", "must be printable characters without spaces");
  return token;
}
