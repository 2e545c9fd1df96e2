/** Connection: a server's address and token, and calls of it with their deadlines. */

import { checkedToken, checkedUrl, DEFAULT_URL, fromEnvironment } from "./address.js";
import { Call, REAL_TIME } from "./deadline.js";
import { InvalidRequest } from "./errors.js";
import { Exchange } from "./http.js";

/** @typedef {import("./options.js").CallOptions} CallOptions */

/** How long a call may take with all its retries: enough for a model's cold start. */
const DEADLINE_SECONDS = 120;

/** A connection to one server; the methods of a client share it. */
export class Connection {
  #deadline;
  #time;
  #token;

  /** @param {import("./options.js").Options} options */
  constructor({ baseUrl, token, deadline = DEADLINE_SECONDS, fetch, time = REAL_TIME, ...others }) {
    const [unknown] = Object.keys(others);
    // A misspelt address would call another server.
    if (unknown) throw new InvalidRequest(unknown, "is not an option");
    const secret = this.#token = token ?? fromEnvironment("TUNESMITH_TOKEN");
    this.baseUrl = checkedUrl(baseUrl ?? fromEnvironment("TUNESMITH_URL") ?? DEFAULT_URL);
    /** @type {Record<string, string>} */
    const headers = secret ? { Authorization: `Bearer ${checkedToken(secret)}` } : {};
    this.exchange = new Exchange(this.baseUrl, headers, fetch ?? globalThis.fetch);
    this.#deadline = deadline;
    this.#time = time;
  }

  /**
   * Return the deadline of a call.
   *
   * @param {CallOptions} options
   */
  call({ signal, deadline = this.#deadline, waiting }) {
    return new Call(deadline, signal, this.#time, waiting);
  }

  /**
   * Return the deadlines of a stream: it may last as long as its job, but opening it must not, so that each opening has
   * a deadline of its own.
   *
   * @param {CallOptions} options
   */
  calls({ signal, deadline = Infinity }) {
    const whole = new Call(deadline, signal, this.#time);
    return { whole, opening: () => new Call(Math.min(this.#deadline, whole.left), signal, this.#time) };
  }

  /**
   * Open a live stream; the token goes into its first message, because pages cannot set headers of WebSockets.
   *
   * @param {import("./live.js").LiveFields} fields
   * @param {import("./live.js").LiveOptions} options
   */
  async live(fields, options) {
    // Most programs never play live, and pages load it only then.
    const { openLive } = await import("./live.js");
    return openLive(this.baseUrl, { ...fields, ...(this.#token && { token: this.#token }) }, options);
  }

  /**
   * Send a request and return the document of its answer.
   *
   * @param {import("./http.js").Send} send
   * @param {CallOptions} options
   * @returns {Promise<any>}
   */
  request(send, options) {
    return this.exchange.document(send, this.call(options));
  }
}
