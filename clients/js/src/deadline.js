/** Call: what one call of the client may take: a deadline, and the caller's signal. */

import { DeadlineExceeded, ServerUnreachable } from "./errors.js";

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TIME_UP = new Error("time is up");

/**
 * Time and chance; tests pass their own.
 *
 * @typedef {object} Time
 * @property {() => number} now seconds on a clock that never goes back
 * @property {() => number} random draws from 0 to 1
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
      signal?.removeEventListener("abort", stop);
      resolve();
    }, Math.min(LONGEST_TIMER_MS, seconds * 1000));
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** One call with all its retries: at most `seconds` long, and stopped by `signal`. */
export class Call {
  /**
   * @param {number} seconds
   * @param {AbortSignal | undefined} signal
   * @param {Time} time
   */
  constructor(seconds, signal, time) {
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
   * Throw where the signal has stopped it or there is no time left.
   *
   * @param {string} what
   */
  check(what) {
    this.signal?.throwIfAborted();
    if (!this.left) throw new DeadlineExceeded(`${what} took longer than ${this.seconds} s`);
  }

  /**
   * Wait, unless the signal stops it.
   *
   * @param {number} seconds
   */
  async pause(seconds) {
    this.signal?.throwIfAborted();
    await this.time.sleep(seconds, this.signal);
  }
}

/** A signal for one request: it follows the caller's, and fires by itself when the time it was given is up. */
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
    if (call.signal?.aborted) this.#stop();
  }

  get signal() {
    return this.#controller.signal;
  }

  /**
   * Go by another call of the same signal from now on.
   *
   * @param {Call} call
   */
  goBy(call) {
    this.#call = call;
  }

  /**
   * Allow what is left of the call, or at most so many seconds.
   *
   * @param {number} [seconds]
   */
  allow(seconds = Infinity) {
    this.rest();
    const { left } = this.#call;
    const reason = seconds < left ? new Error(`nothing came for ${seconds} s`) : TIME_UP;
    const fire = () => this.#controller.abort(reason);
    const milliseconds = Math.min(left, seconds) * 1000;
    if (milliseconds < Infinity) this.#timer = setTimeout(fire, Math.min(LONGEST_TIMER_MS, milliseconds));
  }

  /** Allow any time, until it is told otherwise. */
  rest() {
    clearTimeout(this.#timer);
  }

  /**
   * Return the error to throw for a request that broke: the caller's reason, that time is up, or what happened.
   *
   * @param {string} what
   * @param {unknown} problem
   * @returns {unknown}
   */
  broken(what, problem) {
    const { signal, seconds, left } = this.#call;
    if (signal?.aborted) return signal.reason;
    const cause = this.signal.aborted ? this.signal.reason : problem; // a fetch may put its own in place of the reason
    if (!left || cause === TIME_UP) return new DeadlineExceeded(`${what} took longer than ${seconds} s`, { cause });
    return new ServerUnreachable(`${what}: ${told(cause)}`, { cause });
  }

  /** Let go of the timer and of the caller's signal. */
  end() {
    this.rest();
    this.#call.signal?.removeEventListener("abort", this.#stop);
  }
}

/**
 * Say in a line what went wrong; fetch tells the cause apart from its message.
 *
 * @param {unknown} problem
 */
function told(problem) {
  if (!(problem instanceof Error)) return String(problem);
  const cause = problem.cause instanceof Error ? problem.cause.message || problem.cause.name : "";
  return cause ? `${problem.message}: ${cause}` : problem.message;
}
