/** Call and Limit: the deadline of a call with its retries, and the time limit of a single request. */

import { DeadlineExceeded, ServerUnreachable } from "./errors.js";

// setTimeout fires at once if its delay does not fit in 32 bits.
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TIME_UP = new Error("time is up");

/**
 * A clock and a random generator; tests pass their own.
 *
 * @typedef {object} Time
 * @property {() => number} now seconds of a monotonic clock
 * @property {() => number} random returns a number from 0 to 1
 * @property {(seconds: number, signal?: AbortSignal) => Promise<void>} sleep rejects with the signal's reason
 */

/** @type {Time} */
export const REAL_TIME = { now: () => performance.now() / 1000, random: Math.random, sleep };

/**
 * @param {number} seconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      // A signal may outlive many calls and must not collect their listeners.
      signal?.removeEventListener("abort", stop);
      resolve();
    }, Math.min(LONGEST_TIMER_MS, seconds * 1000));
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** One call with all its retries: it takes at most `seconds`, and `signal` aborts it. */
export class Call {
  /**
   * @param {number} seconds
   * @param {AbortSignal | undefined} signal
   * @param {Time} time
   * @param {import("./options.js").Waiting} [waiting]
   */
  constructor(seconds, signal, time, waiting) {
    this.waiting = waiting;
    this.seconds = seconds;
    this.signal = signal;
    this.time = time;
    this.endsAt = time.now() + seconds;
  }

  /** Seconds until the deadline; 0 once it has passed. */
  get left() {
    return Math.max(0, this.endsAt - this.time.now());
  }

  /**
   * Throw if the signal is aborted or the deadline has passed.
   *
   * @param {string} what
   */
  check(what) {
    this.signal?.throwIfAborted();
    if (!this.left) throw new DeadlineExceeded(`${what} took longer than ${this.seconds} s`);
  }

  /**
   * Sleep; the signal aborts it.
   *
   * @param {number} seconds
   */
  async pause(seconds) {
    this.signal?.throwIfAborted();
    await this.time.sleep(seconds, this.signal);
  }
}

/** A signal for one request: the caller's signal aborts it, and so does its own timer. */
export class Limit {
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #call;
  #stop;

  /** @param {Call} call */
  constructor(call) {
    this.#call = call;
    this.#stop = () => this.#controller.abort(call.signal?.reason);
    call.signal?.addEventListener("abort", this.#stop, { once: true });
    // A signal that is already aborted sends no event.
    if (call.signal?.aborted) this.#stop();
  }

  get signal() {
    return this.#controller.signal;
  }

  /**
   * Use the deadline of another call from now on; its signal must be the same.
   *
   * @param {Call} call
   */
  goBy(call) {
    this.#call = call;
  }

  /**
   * Start the timer for the rest of the call, or for `seconds` if that is shorter.
   *
   * @param {number} [seconds]
   */
  allow(seconds = Infinity) {
    // The timer of the previous wait must not fire any more.
    this.rest();
    const { left } = this.#call;
    const reason = seconds < left ? new Error(`no data for ${seconds} s`) : TIME_UP;
    const fire = () => this.#controller.abort(reason);
    const milliseconds = Math.min(left, seconds) * 1000;
    // A call without a deadline needs no timer.
    if (milliseconds < Infinity) this.#timer = setTimeout(fire, Math.min(LONGEST_TIMER_MS, milliseconds));
  }

  /** Stop the timer, until `allow` starts it again. */
  rest() {
    clearTimeout(this.#timer);
  }

  /**
   * Return the error to throw for a failed request: the caller's reason, DeadlineExceeded or ServerUnreachable.
   *
   * @param {string} what
   * @param {unknown} problem
   * @returns {unknown}
   */
  broken(what, problem) {
    const { signal, seconds, left } = this.#call;
    if (signal?.aborted) return signal.reason;
    // Some versions of fetch throw an error of their own in place of the signal's reason.
    const cause = this.signal.aborted ? this.signal.reason : problem;
    if (!left || cause === TIME_UP) return new DeadlineExceeded(`${what} took longer than ${seconds} s`, { cause });
    return new ServerUnreachable(`${what}: ${describe(cause)}`, { cause });
  }

  /** Stop the timer and remove the listener from the caller's signal. */
  end() {
    this.rest();
    this.#call.signal?.removeEventListener("abort", this.#stop);
  }
}

/**
 * Return one line for a failure; fetch puts the cause in a property and not in its message.
 *
 * @param {unknown} problem
 */
function describe(problem) {
  if (!(problem instanceof Error)) return String(problem);
  const cause = problem.cause instanceof Error ? problem.cause.message || problem.cause.name : "";
  return cause ? `${problem.message}: ${cause}` : problem.message;
}
