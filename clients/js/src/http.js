/** Exchange: requests to a server, each repeated until it succeeds, cannot succeed, or time is up. */

import { Call, Limit } from "./deadline.js";
import { ApiError, documentOf, errorOf, ServerUnreachable } from "./errors.js";
import { Answer } from "./response_body.js";
import { MAX_UNANSWERED, mayPass, pauseAfter, retryAfter } from "./retries.js";

/**
 * A request. `key` makes it one that may be repeated and still has its effect once.
 *
 * @typedef {object} Send
 * @property {string} path
 * @property {string} [method]
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, unknown>} [query] what is undefined or null is left out
 * @property {Record<string, string>} [headers]
 * @property {string} [key]
 * @property {string[]} [wants] the fields of the answer
 */

/**
 * @typedef {object} Failure
 * @property {unknown} error what to throw if it is not tried again
 * @property {boolean} passes whether the same request may succeed later
 * @property {number} [asked] the seconds that the server asks to wait
 */

/** A way to one server. */
export class Exchange {
  #baseUrl;
  #headers;
  #fetch;

  /**
   * @param {string} baseUrl
   * @param {Record<string, string>} headers of every request
   * @param {typeof fetch} fetch
   */
  constructor(baseUrl, headers, fetch) {
    this.#baseUrl = baseUrl;
    this.#headers = headers;
    this.#fetch = fetch;
  }

  /**
   * Ask and return the JSON object of the answer; an empty answer is an empty object.
   *
   * @param {Send} send
   * @param {Call} call
   * @returns {Promise<any>}
   */
  async document(send, call) {
    const { status, text } = await this.#until(send, call, async (answer) => ({
      status: answer.status,
      text: await answer.text(call),
    }));
    return documentOf(text, status, send.wants);
  }

  /**
   * Ask and return an answer whose body is still to be read.
   *
   * @param {Send} send
   * @param {Call} call
   * @returns {Promise<Answer>}
   */
  open(send, call) {
    return this.#until(send, call, async (answer) => answer);
  }

  /**
   * @template T
   * @param {Send} send
   * @param {Call} call
   * @param {(answer: Answer) => Promise<T>} read
   * @returns {Promise<T>}
   */
  async #until(send, call, read) {
    let unanswered = 0;
    for (let attempt = 1; ; attempt += 1) {
      /** @type {Failure} */
      let failure;
      try {
        const answer = await this.#answer(send, call);
        if (answer.isGood) return await read(answer);
        failure = await refused(answer, call);
        unanswered = 0;
      } catch (error) {
        if (!(error instanceof ServerUnreachable)) throw error;
        unanswered += 1;
        failure = { error, passes: unanswered < MAX_UNANSWERED };
      }
      const pause = pauseAfter(attempt, failure.asked, call.time.random);
      if (!failure.passes || pause >= call.left) throw failure.error;
      await call.pause(pause);
    }
  }

  /**
   * @param {Send} send
   * @param {Call} call
   */
  async #answer(send, call) {
    const { method = "GET", path, body } = send;
    call.check(`${method} ${path}`);
    const limit = new Limit(call);
    limit.allow();
    const fetch = this.#fetch; // as a method of something else a browser's would refuse to be called
    try {
      const response = await fetch(`${this.#baseUrl}${path}${queryOf(send)}`, {
        method,
        headers: this.#headersOf(send),
        redirect: method === "GET" ? "follow" : "manual", // what asks for music may arrive as something else
        signal: limit.signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      limit.rest();
      return new Answer(response, limit, `${method} ${path}`);
    } catch (problem) {
      limit.end();
      throw limit.broken(`${method} ${this.#baseUrl}${path}`, problem);
    }
  }

  /** @param {Send} send */
  #headersOf(send) {
    return {
      ...this.#headers,
      ...(send.body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(send.key === undefined ? {} : { "Idempotency-Key": send.key }),
      ...send.headers,
    };
  }
}

/**
 * @param {Answer} answer
 * @param {Call} call
 * @returns {Promise<Failure>}
 */
async function refused(answer, call) {
  if (answer.redirection) {
    const message = `the server redirects to ${answer.redirection}; name that one in baseUrl`;
    await answer.text(call);
    return { error: new ApiError(message, { status: answer.status }), passes: false };
  }
  const text = await answer.text(call);
  const asked = retryAfter(answer.headers, text, Date.now());
  return { error: errorOf(answer.status, text, asked), passes: mayPass(answer.status), asked };
}

/** @param {Send} send */
function queryOf({ query = {} }) {
  const found = new URLSearchParams();
  for (const [name, given] of Object.entries(query)) {
    for (const value of Array.isArray(given) ? given : [given]) {
      if (value !== undefined && value !== null) found.append(name, String(value));
    }
  }
  const text = String(found);
  return text && `?${text}`;
}
