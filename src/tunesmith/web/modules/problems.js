/** Errors in words: what happened, what to do next, and what is safe. */

import {
  ApiError,
  DeadlineExceeded,
  GenerationFailed,
  NotFound,
  ServerBusy,
  ServerUnreachable,
  TokenRefused,
} from "../js/src/index.js";
import { SETTINGS_IN_WORDS } from "./request.js";
import { capital, clock } from "./words.js";

/** @typedef {import("./types.js").Problem} Problem */

/** The title of a problem that has none of its own. */
export const NOT_MADE = "It could not be made";
/**
 * How the page calls fields that it does not call by their own names.
 *
 * @type {Record<string, string>}
 */
const FIELDS_IN_WORDS = { ...SETTINGS_IN_WORDS, duration: "Length" };
const SAFE = "What you typed and made is safe here.";

/**
 * Return an error in words. An error of this page's own code is thrown again: it is no news for users.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
export function inWords(error) {
  if (error instanceof TokenRefused) return refused(error);
  if (error instanceof ServerBusy) return busy(error);
  if (error instanceof NotFound) {
    return { title: "It is no longer there", advice: `${sentence(error.message)} It may have been removed meanwhile.` };
  }
  if (error instanceof ServerUnreachable || error instanceof DeadlineExceeded) {
    return { title: "The server does not answer", advice: `${SAFE} Try again when it is back.` };
  }
  if (error instanceof GenerationFailed || error instanceof ApiError) return explained(error);
  throw error;
}

/**
 * @param {TokenRefused} error
 * @returns {Problem}
 */
function refused(error) {
  if (error.status === 401) {
    const advice = "Ask whoever runs it for a token, or create one there with: tunesmith token create --name studio";
    return { title: "The server wants a token", advice, needsToken: true };
  }
  return { title: "The token does not allow this", advice: sentence(error.message) };
}

/**
 * @param {ServerBusy} error
 * @returns {Problem}
 */
function busy(error) {
  const when = error.retryAfter ? `in ${Math.ceil(error.retryAfter)} s` : "in a moment";
  return { title: "The server is busy", advice: `${sentence(error.message)} Try again ${when}. ${SAFE}` };
}

/**
 * @param {GenerationFailed | ApiError} error
 * @returns {Problem}
 */
function explained(error) {
  const field = error instanceof ApiError ? error.field : undefined;
  // "job 01m8…: disk full" and "duration: must be …" name in their first word what the page shows otherwise.
  const message = error.message.replace(/^job \S+: /, "");
  if (!field) return { title: NOT_MADE, advice: sentence(message) };
  const problem = message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  // The page writes a length as a clock does.
  const isLength = field === "duration";
  const text = isLength
    ? problem.replace(/at (most|least) (\d+)/, (_, most, limit) => `at ${most} ${clock(Number(limit))}`)
    : problem;
  return { title: `${FIELDS_IN_WORDS[field] ?? capital(field.replaceAll("_", " "))} ${text}`, advice: SAFE, field };
}

/** @param {string} text */
function sentence(text) {
  return `${capital(text.trim()).replace(/[.!]$/, "")}.`;
}
