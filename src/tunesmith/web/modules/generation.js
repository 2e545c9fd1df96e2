/** Generation: takes are submitted, followed to their end, cancelled, and found again after a reload. */

import { DeadlineExceeded, NotFound, ServerBusy, ServerUnreachable } from "../js/src/index.js";
import { factsOf } from "./facts.js";
import { isStreamed, LiveSounds } from "./live_sound.js";
import { newTake } from "./new_take.js";
import { inWords, NOT_MADE } from "./problems.js";
import { requestsOf } from "./request.js";
import { Server } from "./server.js";
import { Store, takeOf } from "./store.js";
import { counted } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").JobEvent} JobEvent
 * @typedef {import("./types.js").Job} Job
 */

/** Browsers open six connections to a server; the rest is for everything else. */
const MAX_FOLLOWED = 3;
const MAX_RECENT = 8;
/** The stage of a take that could not be sent. */
const UNSENT = "waiting for the server";

/** Submits and follows takes; `finished` is called with each take that has become music. */
export class Generation {
  #store;
  #server;
  #scores;
  #live;
  #finished;
  /** @type {string[]} */
  #waiting = [];
  /** @type {Set<string>} */
  #followed = new Set();
  /** @type {Map<string, AbortController>} */
  #submitted = new Map();

  /**
   * @param {Store} store
   * @param {Server} server
   * @param {import("./scores.js").Scores} scores
   * @param {LiveSounds} live
   * @param {(id: string, job: Job) => void} finished
   */
  constructor(store, server, scores, live, finished) {
    this.#store = store;
    this.#server = server;
    this.#scores = scores;
    this.#live = live;
    this.#finished = finished;
    // What could not be followed while the server was away goes on when it is back.
    store.watch(
      (state) => [state.connection.state],
      (state) => state.connection.state === "open" && this.resume(),
    );
  }

  /** Make what the draft asks for, as takes of their own. */
  async make() {
    const { draft, recent } = this.#store.state;
    const others = recent.filter((prompt) => prompt !== draft.prompt.trim());
    this.#store.change({ askProblem: null, recent: [draft.prompt.trim(), ...others].slice(0, MAX_RECENT) });
    await this.makeAll(requestsOf(draft));
  }

  /**
   * Replace the takes by new ones, one for each request.
   *
   * @param {Record<string, unknown>[]} requests
   */
  async makeAll(requests) {
    const takes = requests.map((request) => newTake(request));
    const { state } = this.#store;
    const { current, previous, region, heard, parts } = state;
    this.#store.change({
      aside: state.aside ?? { takes: state.takes, current, previous, region, heard, parts },
      takes,
      current: takes[0]?.id ?? null,
      previous: null,
      region: null,
      heard: [],
      arrived: {},
      parts: {},
      announcement: `Making ${counted(takes.length, "take")}`,
    });
    for (const take of takes) await this.#submit(take);
  }

  /**
   * Make one more take, beside the others.
   *
   * @param {Record<string, unknown>} request
   */
  async add(request) {
    const take = newTake(request);
    this.#store.change({ takes: [...this.#store.state.takes, take], current: take.id, announcement: "Making a take" });
    await this.#submit(take);
  }

  /**
   * Put takes beside the others and follow those that are being made.
   *
   * @param {Take[]} more
   */
  join(more) {
    this.#store.change({ takes: [...this.#store.state.takes, ...more] });
    this.resume();
  }

  /**
   * Put a take whose job has begun beside the others, on the stage: A/B with the one that it changes.
   *
   * @param {Take} take
   */
  show(take) {
    const { takes, current } = this.#store.state;
    this.#store.change({ takes: [...takes, take], previous: current, current: take.id, announcement: "Making a take" });
    this.listen(take.id);
    this.#follow(take.id);
  }

  /**
   * Submit a take that failed once more.
   *
   * @param {string} id
   */
  async again(id) {
    const take = takeOf(this.#store.state, id);
    if (!take) return;
    this.#store.changeTake(id, { ...newTake(take.request), id });
    await this.#submit(take);
  }

  /**
   * Stop what is being made and remove it; the other takes stay.
   *
   * @param {string[]} ids
   */
  async cancel(ids) {
    const gone = this.#store.state.takes.filter((take) => ids.includes(take.id));
    // One that waits for its turn is not sent any more; one on its way is cancelled when it has arrived.
    for (const { id, waitSeconds } of gone) if (waitSeconds !== null) this.#submitted.get(id)?.abort();
    this.#drop(ids);
    this.#store.change({ announcement: "Cancelled" });
    await Promise.all(
      gone.map(async ({ job }) => {
        if (job) await this.#server.ask((client) => client.cancel(job)).catch((error) => this.#note(error));
      }),
    );
  }

  /** Follow every take that is not finished, as after a reload. */
  resume() {
    for (const take of this.#store.state.takes) {
      if (take.job && isBeingMade(take)) {
        this.#follow(take.id);
        this.listen(take.id);
      } else if (take.state === "sending") void this.#submit(take);
    }
  }

  /**
   * Hear a take from its first second on, if it is the one on the stage and is being made.
   *
   * @param {string} id
   */
  listen(id) {
    const take = takeOf(this.#store.state, id);
    const isStaged = id === this.#store.state.current;
    if (take?.job && isStaged && isBeingMade(take) && isStreamed(take.request)) void this.#live.listen(id);
  }

  /** @param {Take} take */
  async #submit(take) {
    // Cancelled before it was sent, or on its way: a second job would be another take.
    if (!takeOf(this.#store.state, take.id) || this.#submitted.has(take.id)) return;
    // It is sent when the server is back.
    if (this.#store.state.connection.state === "lost") return this.#store.changeTake(take.id, { stage: UNSENT });
    const stop = new AbortController();
    this.#submitted.set(take.id, stop);
    const { prompt, ...fields } = take.request;
    const waiting = (/** @type {number} */ seconds, /** @type {unknown} */ problem) =>
      this.#countDown(take.id, Math.ceil(seconds), problem);
    // The one on the stage is heard while it is made; the others would only take its time.
    const stream = take.id === this.#store.state.current && isStreamed(take.request);
    try {
      const job = await this.#server.ask((client) =>
        client.submit(String(prompt), fields, { signal: stop.signal, waiting, stream, idempotencyKey: take.key }),
      );
      // A reload finds the take by its job.
      this.#store.changeTake(take.id, { job: job.id, state: "queued", waitSeconds: null });
      this.#store.change({ aside: null });
      this.listen(take.id);
      if (takeOf(this.#store.state, take.id)) this.#follow(take.id);
      else await this.#server.ask((client) => client.cancel(job.id));
    } catch (error) {
      if (!stop.signal.aborted) this.#unsent(take, error);
    } finally {
      this.#submitted.delete(take.id);
    }
  }

  /**
   * Say why a take is not sent yet, and count the seconds until it is sent again.
   *
   * @param {string} id
   * @param {number} seconds
   * @param {unknown} problem
   * @param {() => void} [then] where the client has given up, because the wait is longer than its deadline
   */
  #countDown(id, seconds, problem, then) {
    if (!(problem instanceof ServerBusy) || takeOf(this.#store.state, id)?.state !== "sending") return;
    const reason = problem.message.replace(/; try again in .*$/, "");
    this.#store.changeTake(id, { stage: reason, waitSeconds: seconds > 0 ? seconds : null });
    if (seconds > 0) setTimeout(() => this.#countDown(id, seconds - 1, problem, then), 1000);
    else then?.();
  }

  /**
   * @param {Take} take
   * @param {unknown} error
   */
  #unsent(take, error) {
    if (error instanceof ServerUnreachable) return this.#store.changeTake(take.id, { stage: UNSENT });
    if (error instanceof ServerBusy && error.retryAfter) {
      return this.#countDown(take.id, Math.ceil(error.retryAfter), error, () => void this.#submit(take));
    }
    const problem = inWords(error);
    if (problem.field) this.#refuse(take, problem);
    else this.#store.changeTake(take.id, { state: "failed", problem });
  }

  /**
   * A field is at fault: say so where it was typed, and drop the take that cannot be; those that it would have replaced
   * are back.
   *
   * @param {Take} take
   * @param {import("./types.js").Problem} problem
   */
  #refuse(take, problem) {
    this.#drop([take.id]);
    const { takes, aside } = this.#store.state;
    this.#store.change({ askProblem: problem, ...(aside && !takes.length ? { ...aside, aside: null } : {}) });
  }

  /** @param {string} id */
  #follow(id) {
    if (this.#followed.has(id) || this.#waiting.includes(id)) return;
    // Not after its turn to be followed: the notes are there at once.
    void this.#scores.load(id);
    this.#waiting.push(id);
    this.#followNext();
  }

  #followNext() {
    if (this.#followed.size >= MAX_FOLLOWED) return;
    const id = this.#waiting.shift();
    if (id === undefined) return;
    this.#followed.add(id);
    void this.#followOne(id).finally(() => {
      this.#followed.delete(id);
      this.#followNext();
    });
  }

  /** @param {string} id */
  async #followOne(id) {
    const job = takeOf(this.#store.state, id)?.job;
    if (!job) return;
    try {
      for await (const event of this.#server.client.follow(job)) {
        this.#store.changeTake(id, {
          state: event.state === "queued" || event.state === "loading" ? event.state : "running",
          progress: event.progress,
          stage: event.stage,
          position: event.position,
          etaSeconds: event.eta_seconds,
        });
        if (isWhole(event)) this.#end(id, event);
      }
    } catch (error) {
      this.#interrupted(id, error);
    }
  }

  /**
   * @param {string} id
   * @param {Job} job
   */
  #end(id, job) {
    if (job.state === "canceled") return this.#drop([id]);
    if (job.state === "succeeded" && job.result) {
      this.#store.changeTake(id, { state: "ready", progress: 1, facts: factsOf(job) });
      return this.#finished(id, job);
    }
    const advice = job.error?.message ?? "Its file is no longer kept on the server.";
    const problem = { title: NOT_MADE, advice, ...(job.error?.field ? { field: job.error.field } : {}) };
    this.#store.changeTake(id, { state: "failed", problem });
  }

  /**
   * @param {string} id
   * @param {unknown} error
   */
  #interrupted(id, error) {
    // The job goes on without us: it is followed again when the server is back.
    if (error instanceof ServerUnreachable || error instanceof DeadlineExceeded) return this.#server.lost();
    if (error instanceof NotFound) {
      const advice = "The server no longer knows this take. Make it again, with the same seed it sounds the same.";
      this.#store.changeTake(id, { state: "failed", problem: { title: "The take is gone", advice } });
    } else {
      this.#store.changeTake(id, { state: "failed", problem: inWords(error) });
    }
  }

  /** @param {string[]} ids */
  #drop(ids) {
    const takes = this.#store.state.takes.filter((take) => !ids.includes(take.id));
    const { state } = this.#store;
    const left = { ...state, takes };
    // Back to the one that was heard before.
    const current = (takeOf(left) ?? takeOf(left, state.previous) ?? takes.at(-1))?.id ?? null;
    this.#store.change({ takes, current });
  }

  /** @param {unknown} error */
  #note(error) {
    this.#store.change({ notice: inWords(error) });
  }
}

/**
 * Return whether a take is on its way to become music.
 *
 * @param {Take} take
 */
export function isBeingMade(take) {
  return take.state !== "ready" && take.state !== "failed";
}

/**
 * Return whether an event is the last one, which has all fields of a job.
 *
 * @param {JobEvent & Partial<Job>} event
 * @returns {event is Job}
 */
function isWhole(event) {
  return "metadata" in event;
}
