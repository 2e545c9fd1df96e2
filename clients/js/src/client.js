/** Tunesmith: the client, with a method for every call of a server. */

import { trackPath } from "./address.js";
import { Clip } from "./clip.js";
import { Connection } from "./connection.js";
import { editedFile, fileChunks, wholeFile } from "./downloads.js";
import { buildSubmission, followJob, liveChunks, pathOf, requireSuccess, runJob, statusOf, waitForEnd } from "./jobs.js";
import { queryOf } from "./http.js";
import { pullModel } from "./models.js";
import { buildScoreEdit, buildVariation, runVariation } from "./variations.js";

/**
 * @typedef {import("./types.js").GenerationFields} GenerationFields
 * @typedef {import("./types.js").Job} Job
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("./types.js").Change} Change
 * @typedef {import("./options.js").Options} Options
 * @typedef {import("./options.js").CallOptions} CallOptions
 * @typedef {import("./options.js").WaitOptions} WaitOptions
 * @typedef {import("./options.js").TrackQuery} TrackQuery
 * @typedef {import("./options.js").FileChoice} FileChoice
 * @typedef {import("./options.js").Marks} Marks
 */

/**
 * A client of one server. Every call retries transient failures with back-off, and throws ApiError (TokenRefused,
 * NotFound, ServerBusy), ServerUnreachable and DeadlineExceeded.
 */
export class Tunesmith {
  #connection;

  /** @param {Options | string} [options] or the base URL */
  constructor(options = {}) {
    this.#connection = new Connection(typeof options === "string" ? { baseUrl: options } : options);
    this.baseUrl = this.#connection.baseUrl;
  }

  /**
   * Generate music and return it. Retries create no second job. The job is cancelled if the deadline passes or the signal
   * aborts the call. Throws GenerationFailed if the job fails.
   *
   * @param {string} prompt
   * @param {GenerationFields} [fields]
   * @param {WaitOptions} [options] `progress` is called with the job as it advances
   * @returns {Promise<Clip>}
   */
  async generate(prompt, fields = {}, options = {}) {
    const call = this.#connection.call(options);
    const { job, result } = await runJob(this.#connection.exchange, prompt, fields, call, options.progress);
    return new Clip(await wholeFile(this.#connection.exchange, result.url, call), job, result);
  }

  /**
   * Generate music and yield its file in chunks; otherwise like generate. With `live`, the sound comes while it is made: what
   * comes before the end is not byte for byte the file's, and a caller who takes no more has the job cancelled.
   *
   * @param {string} prompt
   * @param {GenerationFields} [fields]
   * @param {WaitOptions & {live?: boolean}} [options]
   * @returns {AsyncGenerator<Uint8Array, void, undefined>}
   */
  async *stream(prompt, fields = {}, { live, ...options } = {}) {
    const call = this.#connection.call(options);
    if (live) return yield* liveChunks(this.#connection.exchange, prompt, fields, call, options.progress);
    const { result } = await runJob(this.#connection.exchange, prompt, fields, call, options.progress);
    yield* fileChunks(this.#connection.exchange, result.url, call);
  }

  /**
   * Submit a job without waiting for it.
   *
   * @param {string} prompt
   * @param {GenerationFields} [fields]
   * @param {CallOptions & {stream?: boolean, idempotencyKey?: string}} [options] `stream`: for `listen`; one key: one job
   * @returns {Promise<Job>}
   */
  async submit(prompt, fields = {}, { stream, idempotencyKey, ...options } = {}) {
    const submission = await buildSubmission(prompt, fields);
    if (idempotencyKey) submission.key = idempotencyKey;
    if (stream) submission.query = { stream };
    return this.#connection.request(submission, options);
  }

  /**
   * Return a job as it is now.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<Job>}
   */
  job(id, options = {}) {
    return this.#connection.request(statusOf(id), options);
  }

  /**
   * Return the newest jobs, in one of `states` (default all).
   *
   * @param {{states?: import("./types.js").JobState[], limit?: number}} [which]
   * @param {CallOptions} [options]
   * @returns {Promise<Job[]>}
   */
  async jobs({ states, limit } = {}, options = {}) {
    const send = { path: "/api/jobs", query: { state: states, limit }, wants: ["jobs"] };
    return (await this.#connection.request(send, options)).jobs;
  }

  /**
   * Wait for the end of a job and return it.
   *
   * @param {string} id
   * @param {WaitOptions} [options]
   * @returns {Promise<Job>}
   */
  wait(id, options = {}) {
    return waitForEnd(this.#connection.exchange, id, this.#connection.call(options), options.progress);
  }

  /**
   * Yield a job now and at every change until its end, which comes with all fields; reconnect if the stream breaks.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {AsyncGenerator<import("./types.js").JobEvent & Partial<Job>, void, undefined>}
   */
  follow(id, options = {}) {
    return followJob(this.#connection.exchange, id, this.#connection.calls(options));
  }

  /**
   * Return the file of a job; throws GenerationFailed unless the job has succeeded.
   *
   * @param {string | Job} job its id, or the job as `follow` yields it in the end, which saves asking for it
   * @param {CallOptions} [options]
   * @returns {Promise<Uint8Array>}
   */
  async audio(job, options = {}) {
    const call = this.#connection.call(options);
    const ended = typeof job === "string" ? await this.#connection.exchange.document(statusOf(job), call) : job;
    const { result } = requireSuccess(ended);
    return wholeFile(this.#connection.exchange, result.url, call);
  }

  /**
   * Yield the sound of a job in chunks while it is made; a job that was not submitted as a stream is waited for.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {AsyncGenerator<Uint8Array, void, undefined>}
   */
  listen(id, options = {}) {
    return fileChunks(this.#connection.exchange, `${pathOf(id)}/audio?stream=true`, this.#connection.calls(options).whole);
  }

  /**
   * Play without end, and return the live stream once it plays; it needs a model that plays live.
   *
   * @param {string} prompt
   * @param {import("./live.js").LiveFields} [fields]
   * @param {import("./live.js").LiveOptions} [options]
   * @returns {Promise<import("./live.js").Live>}
   */
  live(prompt, fields = {}, options = {}) {
    return this.#connection.live({ prompt, ...fields }, options);
  }

  /**
   * Return what the composer writes for a job, in any state of it; throws NotFound for another model's.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Score>}
   */
  score(id, options = {}) {
    return this.#connection.request({ path: `${pathOf(id)}/score` }, options);
  }

  /**
   * Cancel a job unless it has ended, and return its new state.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<Job>}
   */
  cancel(id, options = {}) {
    return this.#connection.request({ method: "DELETE", path: pathOf(id) }, options);
  }

  /**
   * Return the newest tracks of the server's prompt log that match.
   *
   * @param {TrackQuery} [which]
   * @param {CallOptions} [options]
   * @returns {Promise<Track[]>}
   */
  async tracks(which = {}, options = {}) {
    return (await this.#connection.request({ path: "/api/tracks", query: { ...which }, wants: ["tracks"] }, options)).tracks;
  }

  /**
   * Return the tracks from one place in the list on, and how many match, for views that go anywhere in a long list.
   *
   * @param {TrackQuery & {offset?: number}} [which]
   * @param {CallOptions} [options]
   * @returns {Promise<{tracks: Track[], total: number}>}
   */
  trackPage(which = {}, options = {}) {
    const query = { ...which, count: true };
    return this.#connection.request({ path: "/api/tracks", query, wants: ["tracks", "total"] }, options);
  }

  /**
   * Yield every track that matches, the newest first; request pages as needed.
   *
   * @param {TrackQuery} [which]
   * @param {CallOptions} [options] the deadline applies to each page
   * @returns {AsyncGenerator<Track, void, undefined>}
   */
  async *eachTrack(which = {}, options = {}) {
    /** @type {number | null | undefined} */
    let before;
    do {
      const page = { path: "/api/tracks", query: { ...which, before }, wants: ["tracks", "next_before"] };
      const found = await this.#connection.request(page, options);
      yield* found.tracks;
      // A cursor rather than an offset, so that new tracks do not shift the pages.
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
    return this.#connection.request({ path: trackPath(id) }, options);
  }

  /**
   * Return a track's file, or, for a track by the composer, its notes (MIDI), its score, or its stems or
   * intensity layers (WAV files in a ZIP).
   *
   * @param {string} id
   * @param {"audio" | "midi" | "score.yaml" | "stems" | "layers"} [kind]
   * @param {CallOptions & FileChoice} [options]
   * @returns {Promise<Uint8Array>}
   */
  trackFile(id, kind = "audio", { format, intensity, mastered, intensities, ...options } = {}) {
    const path = `${trackPath(id)}/${kind}${queryOf({ format, intensity, mastered, intensities })}`;
    return wholeFile(this.#connection.exchange, path, this.#connection.call(options));
  }

  /**
   * Edit a sound, or join several, and return the file.
   *
   * @param {"fit" | "loop" | "normalize" | "trim" | "convert" | "stitch"} edit
   * @param {(string | Blob)[]} sources ids of tracks, and files, in order
   * @param {Record<string, string | number>} [settings] such as duration, bars, loudness_lufs and format
   * @param {CallOptions} [options]
   * @returns {Promise<Uint8Array>}
   */
  async edit(edit, sources, settings = {}, options = {}) {
    return editedFile(this.#connection.exchange, { edit, ...settings }, sources, this.#connection.call(options));
  }

  /**
   * Return what the composer has written for a track; throws NotFound for another model's.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Score>}
   */
  trackScore(id, options = {}) {
    return this.#connection.request({ path: `${trackPath(id)}/score` }, options);
  }

  /**
   * Return the outline of a track's file, for drawing it without decoding it.
   *
   * @param {string} id
   * @param {number} [points] at most, up to 4096
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Peaks>}
   */
  trackPeaks(id, points = 1000, options = {}) {
    return this.#connection.request({ path: `${trackPath(id)}/peaks`, query: { points } }, options);
  }

  /**
   * Star, rate (0 to 5) or tag a track and return it.
   *
   * @param {string} id
   * @param {Marks} marks
   * @param {CallOptions} [options]
   * @returns {Promise<Track>}
   */
  mark(id, marks, options = {}) {
    return this.#connection.request({ method: "PATCH", path: trackPath(id), body: marks }, options);
  }

  /**
   * Make a track again with a change, in words (`prompt`) and fields of a request, and return it.
   *
   * @param {string} id
   * @param {string | Change} change
   * @param {WaitOptions} [options]
   * @returns {Promise<Clip>} its `change` says what was understood
   */
  async again(id, change, options = {}) {
    const call = this.#connection.call(options);
    const { job, result, understood } = await runVariation(this.#connection.exchange, id, change, call, options.progress);
    return new Clip(await wholeFile(this.#connection.exchange, result.url, call), job, result, understood);
  }

  /**
   * Return what a change would be understood as, without making anything.
   *
   * @param {string} id
   * @param {string | Change} change
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Understood>}
   */
  async understand(id, change, options = {}) {
    return (await this.#connection.request(await buildVariation(id, change, { explain: true }), options)).change;
  }

  /**
   * Return the tree of a track's variations, from the first track on.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").TrackNode>}
   */
  tree(id, options = {}) {
    return this.#connection.request({ path: `${trackPath(id)}/tree` }, options);
  }

  /**
   * Submit variations of a track and return their jobs: so many with other seeds, or with a change one of its own seed.
   *
   * @param {string} id
   * @param {number | Change} [variations]
   * @param {CallOptions & {stream?: boolean}} [options] `stream`: the jobs can be listened to while they are made
   * @returns {Promise<Job[]>}
   */
  async vary(id, variations = 5, { stream, ...options } = {}) {
    const call = this.#connection.call(options);
    const send = { ...(await buildVariation(id, variations)), query: { stream } };
    /** @type {{jobs: {id: string}[]}} */
    const { jobs } = await this.#connection.exchange.document(send, call);
    return Promise.all(jobs.map((job) => this.#connection.exchange.document(statusOf(job.id), call)));
  }

  /**
   * Edit the score of a track by the composer, and return the job of the edited piece: chords by bar, sections in
   * another order or length, the whole piece in another place. Parts that follow what changes are written anew.
   *
   * @param {string} id
   * @param {import("./types.js").ScoreEdits} edits
   * @param {CallOptions & {stream?: boolean}} [options] as for vary
   * @returns {Promise<Job>}
   */
  async editScore(id, edits, { stream, ...options } = {}) {
    const call = this.#connection.call(options);
    const { job } = await this.#connection.exchange.document(buildScoreEdit(id, edits, stream), call);
    return this.#connection.exchange.document(statusOf(job.id), call);
  }

  /**
   * Remove a track from the prompt log.
   *
   * @param {string} id
   * @param {CallOptions} [options]
   * @returns {Promise<void>}
   */
  async forget(id, options = {}) {
    await this.#connection.request({ method: "DELETE", path: trackPath(id) }, options);
  }

  /**
   * Return the models that are on the server or can be pulled.
   *
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Model[]>}
   */
  async models(options = {}) {
    return (await this.#connection.request({ path: "/api/models", wants: ["models"] }, options)).models;
  }

  /**
   * Install a model on the server and yield its progress; a server with tokens requires one of scope admin.
   *
   * @param {string} model
   * @param {{name?: string, quantization?: string, revision?: string, keep_download?: boolean, accept_licence?: boolean}} [settings]
   * @param {CallOptions} [options]
   * @returns {AsyncGenerator<Record<string, unknown>, void, undefined>}
   */
  pull(model, settings = {}, options = {}) {
    return pullModel(this.#connection.exchange, { model, ...settings }, this.#connection.calls(options));
  }

  /**
   * Return the models in the server's memory, and when it unloads them.
   *
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").LoadedModel[]>}
   */
  async loaded(options = {}) {
    return (await this.#connection.request({ path: "/api/ps", wants: ["models"] }, options)).models;
  }

  /**
   * Unload a model from the server's memory, unless it is at work.
   *
   * @param {string} model
   * @param {CallOptions} [options]
   * @returns {Promise<void>}
   */
  async unload(model, options = {}) {
    await this.#connection.request({ method: "DELETE", path: `/api/ps/${encodeURIComponent(model)}` }, options);
  }

  /**
   * Return what the composer makes of a request, and why.
   *
   * @param {string} prompt
   * @param {GenerationFields} [fields] as for submit, without recordings
   * @param {CallOptions} [options]
   * @returns {Promise<import("./types.js").Explanation>}
   */
  explain(prompt, fields = {}, options = {}) {
    return this.#connection.request({ method: "POST", path: "/api/explain", body: { ...fields, prompt } }, options);
  }

  /**
   * Return the server's version.
   *
   * @param {CallOptions} [options]
   * @returns {Promise<string>}
   */
  async version(options = {}) {
    return (await this.#connection.request({ path: "/api/version", wants: ["version"] }, options)).version;
  }
}
