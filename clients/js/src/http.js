/** Exchange: HTTP requests to a server, with retries within the deadline of a call. */

import { Call, Limit } from "./deadline.js";
import { ApiError, documentOf, errorOf, ServerUnreachable } from "./errors.js";
import { Answer } from "./response_body.js";
import { MAX_UNANSWERED, mayPass, pauseAfter, retryAfter } from "./retries.js";

/**
 * A request. With `key`, its idempotency key, it takes effect once however often it is sent.
 *
 * @typedef {object} Send
 * @property {string} path
 * @property {string} [method]
 * @property {unknown} [body] sent as JSON, or a form as it is
 * @property {Record<string, unknown>} [query] values that are undefined or null are left out
 * @property {Record<string, string>} [headers]
 * @property {string} [key]
 * @property {string[]} [wants] the fields that the response must have
 */

/**
 * @typedef {object} Failure
 * @property {unknown} error what to throw without another retry
 * @property {boolean} passes whether the same request may succeed later
 * @property {number} [stated] the seconds to wait that the server states
 */

/** The HTTP requests to one server. */
export class Exchange {
  #baseUrl;
  #headers;
  #fetch;

  /**
   * @param {string} baseUrl
   * @param {Record<string, string>} headers headers of every request
   * @param {typeof fetch} fetch
   */
  constructor(baseUrl, headers, fetch) {
    this.#baseUrl = baseUrl;
    this.#headers = headers;
    this.#fetch = fetch;
  }

  /**
   * Send a request with retries and return the JSON object of the response; an empty body is an empty object.
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
   * Send a request with retries and return the response with its body unread.
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
        // Within the try, so that a connection that breaks in the body counts as a failed attempt.
        if (answer.isGood) return await read(answer);
        failure = await refused(answer, call);
        // A response of any status shows that the server can be reached.
        unanswered = 0;
      } catch (error) {
        if (!(error instanceof ServerUnreachable)) throw error;
        unanswered += 1;
        failure = { error, passes: unanswered < MAX_UNANSWERED };
      }
      const pause = pauseAfter(attempt, failure.stated, call.time.random);
      // Without time for another attempt, the server's own error says more than DeadlineExceeded.
      if (!failure.passes || pause >= call.left) throw failure.error;
      call.waiting?.(pause, failure.error);
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
    // A browser's fetch throws if it is called as a method of another object.
    const fetch = this.#fetch;
    try {
      const response = await fetch(`${this.#baseUrl}${path}${queryOf(send.query)}`, {
        method,
        headers: this.#headersOf(send),
        // A redirect may turn a POST into a GET.
        redirect: method === "GET" ? "follow" : "manual",
        signal: limit.signal,
        ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
      });
      // The time between the head and the first read of the body is the caller's own.
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
      // A form states its own type, with its boundary.
      ...(send.body === undefined || send.body instanceof FormData ? {} : { "Content-Type": "application/json" }),
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
    const message = `the server redirects to ${answer.redirection}; use that URL as baseUrl`;
    await answer.text(call);
    return { error: new ApiError(message, { status: answer.status }), passes: false };
  }
  const text = await answer.text(call);
  const stated = retryAfter(answer.headers, text, Date.now());
  return { error: errorOf(answer.status, text, stated), passes: mayPass(answer.status), stated };
}

/**
 * Return the query of an address, with its question mark; empty for no values.
 *
 * @param {Record<string, unknown>} [query] values that are undefined or null are left out
 */
export function queryOf(query = {}) {
  const found = new URLSearchParams();
  for (const [name, given] of Object.entries(query)) {
    for (const value of Array.isArray(given) ? given : [given]) {
      if (value !== undefined && value !== null) found.append(name, String(value));
    }
  }
  const text = String(found);
  return text && `?${text}`;
}
