/** Downloads: files of a server in chunks, resumed after a broken connection. */

import { Call } from "./deadline.js";
import { ServerUnreachable } from "./errors.js";
import { Exchange } from "./http.js";
import { MAX_UNANSWERED, pauseAfter } from "./retries.js";

/**
 * Yield a file in chunks; if the connection breaks, resume with a range request on a new one.
 *
 * @param {Exchange} exchange
 * @param {string} path
 * @param {Call} call
 * @returns {AsyncGenerator<Uint8Array, void, undefined>}
 */
export async function* fileChunks(exchange, path, call) {
  let received = 0;
  let breaks = 0;
  for (;;) {
    /** @type {Record<string, string>} */
    const headers = received ? { Range: `bytes=${received}-` } : {};
    const answer = await exchange.open({ path, headers }, call);
    // A server without ranges sends the whole file again.
    let known = answer.status === 206 ? 0 : received;
    try {
      for await (const chunk of answer.chunks(call)) {
        const fresh = chunk.subarray(known);
        known -= chunk.length - fresh.length;
        received += fresh.length;
        // Only progress resets the count: a server that repeats the start and breaks must not be retried forever.
        if (fresh.length) breaks = 0;
        if (fresh.length) yield fresh;
      }
      return;
    } catch (problem) {
      breaks += 1;
      if (!(problem instanceof ServerUnreachable) || breaks >= MAX_UNANSWERED) throw problem;
    }
    await call.pause(Math.min(call.left, pauseAfter(breaks, undefined, call.time.random)));
  }
}

/**
 * Return a whole file.
 *
 * @param {Exchange} exchange
 * @param {string} path
 * @param {Call} call
 */
export function wholeFile(exchange, path, call) {
  return joined(fileChunks(exchange, path, call));
}

/**
 * Return chunks as one array.
 *
 * @param {AsyncIterable<Uint8Array>} received
 */
export async function joined(received) {
  const chunks = [];
  for await (const chunk of received) chunks.push(chunk);
  const content = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    content.set(chunk, at);
    at += chunk.length;
  }
  return content;
}

/**
 * Edit a sound, or join several, on the server, and return the file.
 *
 * @param {Exchange} exchange
 * @param {Record<string, string | number>} settings the edit and its settings
 * @param {(string | Blob)[]} sources ids of tracks, and files, in order
 * @param {Call} call
 * @returns {Promise<Uint8Array>}
 */
export async function editedFile(exchange, settings, sources, call) {
  const form = new FormData();
  for (const [name, value] of Object.entries(settings)) form.append(name, String(value));
  for (const source of sources) form.append("source", source);
  const answer = await exchange.open({ method: "POST", path: "/api/edits", body: form }, call);
  return joined(answer.chunks(call));
}
