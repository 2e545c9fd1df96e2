/** Reading: the body of an answer as it comes, as bytes or as server-sent events. */

import { Call, Limit } from "./deadline.js";

/** An answer on which nothing comes for so long, not even a sign of life, is taken to be broken. */
const SILENCE_SECONDS = 60;

/** An answer whose head has come; its body is read once, or dropped. */
export class Answer {
  #response;
  #limit;
  #what;

  /**
   * @param {Response} response
   * @param {Limit} limit stops the reading
   * @param {string} what was asked
   */
  constructor(response, limit, what) {
    this.#response = response;
    this.#limit = limit;
    this.#what = what;
  }

  get status() {
    return this.#response.status;
  }

  get isGood() {
    return this.#response.ok;
  }

  /** Where it sends on to, if it does; a browser does not tell. */
  get redirection() {
    const { type, status, headers } = this.#response;
    if (type !== "opaqueredirect" && !(status >= 300 && status < 400)) return undefined;
    return headers.get("location") ?? "another address";
  }

  get headers() {
    return this.#response.headers;
  }

  /**
   * Yield the body as it comes; throws ServerUnreachable where it breaks off.
   *
   * @param {Call} call
   * @returns {AsyncGenerator<Uint8Array, void, undefined>}
   */
  async *pieces(call) {
    const reader = this.#response.body?.getReader();
    this.#limit.goBy(call);
    try {
      while (reader) {
        this.#limit.allow(SILENCE_SECONDS);
        const { done, value } = await reader.read().catch((problem) => {
          throw this.#limit.broken(this.#what, problem);
        });
        this.#limit.rest();
        if (done) return;
        yield value;
      }
    } finally {
      this.#limit.end();
      await reader?.cancel().catch(() => undefined); // it may be broken already
    }
  }

  /**
   * Return the body as text.
   *
   * @param {Call} call
   */
  async text(call) {
    const decoder = new TextDecoder();
    let text = "";
    for await (const piece of this.pieces(call)) text += decoder.decode(piece, { stream: true });
    return text + decoder.decode();
  }
}

/**
 * Yield the events of a stream: https://html.spec.whatwg.org/multipage/server-sent-events.html.
 *
 * @param {AsyncIterable<Uint8Array>} pieces
 * @returns {AsyncGenerator<{kind: string, text: string}, void, undefined>}
 */
export async function* events(pieces) {
  let kind = "message";
  /** @type {string[]} */
  let lines = [];
  for await (const line of linesOf(pieces)) {
    if (line === "") {
      if (lines.length) yield { kind, text: lines.join("\n") };
      [kind, lines] = ["message", []];
      continue;
    }
    const [, field, text = ""] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (field === "event") kind = text;
    if (field === "data") lines.push(text);
  }
}

/**
 * @param {AsyncIterable<Uint8Array>} pieces
 * @returns {AsyncGenerator<string, void, undefined>}
 */
async function* linesOf(pieces) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest.endsWith("\r")) yield rest.slice(0, -1);
}
