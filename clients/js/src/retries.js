/** Retries with back-off: which failures are transient, and how long to wait. */

import { parsed } from "./errors.js";

const FIRST_PAUSE_SECONDS = 0.5;
const LONGEST_PAUSE_SECONDS = 8;
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

/** After how many requests in a row without a response the server counts as unreachable. */
export const MAX_UNANSWERED = 4;

/**
 * Return whether a status is that of a transient failure, so that the same request may succeed later.
 *
 * @param {number} status
 */
export function mayPass(status) {
  return PASSING.has(status);
}

/**
 * Return the seconds to wait after attempt 1, 2 …: the server's own, or exponential back-off with full jitter.
 *
 * @param {number} attempt
 * @param {number | undefined} stated the seconds that the server states
 * @param {() => number} random returns a number from 0 to 1
 */
export function pauseAfter(attempt, stated, random) {
  // 0 does not count: an overloaded server would get retries without a pause. The jitter keeps clients that were
  // refused together from returning together.
  if (stated) return stated + random() * Math.min(1, stated / 4);
  return random() * Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** attempt);
}

/**
 * Return the seconds that `Retry-After` (seconds or a date) or the body's `estimated_time` states, if any.
 *
 * @param {Headers} headers
 * @param {string} text the body
 * @param {number} now milliseconds since 1970
 */
export function retryAfter(headers, text, now) {
  const header = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header);
  // Date.parse finds dates in almost any text, so the text must begin with a day of the week.
  const date = /^[a-z]{3,9},/i.test(header) ? Date.parse(header) : NaN;
  if (!Number.isNaN(date)) return Math.max(0, (date - now) / 1000);
  const estimated = parsed(text)?.estimated_time;
  return typeof estimated === "number" ? Math.max(0, estimated) : undefined;
}
