/** Response bodies: read as they arrive, as bytes, text or server-sent events. */

import { Call, Limit } from "./deadline.js";

/** How long a body may be silent before the connection counts as broken; the server keeps streams alive. */
const SILENCE_SECONDS = 60;

/** A response whose headers have arrived; its body can be read once. */
export class Answer {
  #response;
  #limit;
  #what;

  /**
   * @param {Response} response
   * @param {Limit} limit aborts the reading
   * @param {string} what the method and path, for errors
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

  /** The address of a redirect, undefined for other responses; browsers hide it. */
  get redirection() {
    const { type, status, headers } = this.#response;
    if (type !== "opaqueredirect" && !(status >= 300 && status < 400)) return undefined;
    return headers.get("location") ?? "another address";
  }

  get headers() {
    return this.#response.headers;
  }

  /**
   * Yield the body in chunks; throws ServerUnreachable if the connection breaks or falls silent.
   *
   * @param {Call} call
   * @returns {AsyncGenerator<Uint8Array, void, undefined>}
   */
  async *chunks(call) {
    const reader = this.#response.body?.getReader();
    this.#limit.goBy(call);
    try {
      while (reader) {
        this.#limit.allow(SILENCE_SECONDS);
        const { done, value } = await reader.read().catch((problem) => {
          throw this.#limit.broken(this.#what, problem);
        });
        // The time that the caller spends on a chunk is not the server's.
        this.#limit.rest();
        if (done) return;
        yield value;
      }
    } finally {
      this.#limit.end();
      // Release the connection, also if the caller stops early; it may be broken already.
      await reader?.cancel().catch(() => undefined);
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
    for await (const chunk of this.chunks(call)) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  }
}

/**
 * Yield the server-sent events of a stream: https://html.spec.whatwg.org/multipage/server-sent-events.html.
 *
 * @param {AsyncIterable<Uint8Array>} chunks
 * @returns {AsyncGenerator<{kind: string, text: string}, void, undefined>}
 */
export async function* events(chunks) {
  let kind = "message";
  /** @type {string[]} */
  let lines = [];
  for await (const line of linesOf(chunks)) {
    if (line === "") {
      if (lines.length) yield { kind, text: lines.join("\n") };
      [kind, lines] = ["message", []];
      continue;
    }
    // A comment, which begins with a colon, has an empty field name; it keeps the connection alive.
    const [, field, text = ""] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (field === "event") kind = text;
    if (field === "data") lines.push(text);
  }
}

/**
 * @param {AsyncIterable<Uint8Array>} chunks
 * @returns {AsyncGenerator<string, void, undefined>}
 */
async function* linesOf(chunks) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end of a chunk may be the first half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest.endsWith("\r")) yield rest.slice(0, -1);
}
