/** When to try again: what may pass by itself, after as long as the server says, else after growing pauses. */

import { parsed } from "./errors.js";

const FIRST_PAUSE_SECONDS = 0.5;
const LONGEST_PAUSE_SECONDS = 8;
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

/** So many requests in a row may go without any answer before the server is taken to be away. */
export const MAX_UNANSWERED = 4;

/**
 * Tell whether the same request may succeed later though it was answered with this status.
 *
 * @param {number} status
 */
export function mayPass(status) {
  return PASSING.has(status);
}

/**
 * Return how many seconds to wait after attempt 1, 2 …: what the server asks for, else anything up to a limit that
 * doubles each time (full jitter).
 *
 * @param {number} attempt
 * @param {number | undefined} asked seconds
 * @param {() => number} random draws from 0 to 1
 */
export function pauseAfter(attempt, asked, random) {
  // callers that were turned away together come back apart
  // "at once" would have a server that is in trouble asked without end
  if (asked) return asked + random() * Math.min(1, asked / 4);
  return random() * Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** attempt);
}

/**
 * Return the seconds that `Retry-After` (seconds or a date) or the body's `estimated_time` asks for, if any.
 *
 * @param {Headers} headers
 * @param {string} text the body
 * @param {number} now milliseconds since 1970
 */
export function retryAfter(headers, text, now) {
  const told = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(told)) return Number(told);
  const date = /^[a-z]{3,9},/i.test(told) ? Date.parse(told) : NaN; // which else reads dates into almost anything
  if (!Number.isNaN(date)) return Math.max(0, (date - now) / 1000);
  const estimated = parsed(text)?.estimated_time;
  return typeof estimated === "number" ? Math.max(0, estimated) : undefined;
}
