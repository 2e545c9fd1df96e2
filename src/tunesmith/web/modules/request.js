/** From the draft to the fields of requests, one for each take. */

import { FIXED } from "./answers.js";

/** @typedef {import("./types.js").Draft} Draft */

const BARS = /^(\d+)\s*bars?$/i;

/** Drawn seeds are short, to be read and typed; ten thousand pieces for a prompt are enough. */
export const SEEDS = 10_000;

/** Fields that a change of a piece may have set, and for which the page has no place of their own. */
const MORE = ["mood", "production", "ambience", "balance", "intro", "ending", "intensity"];

/**
 * Return the requests of a draft, prompt included; each take has a seed of its own. Takes that follow a seed given by
 * the user have the seeds after it.
 *
 * @param {Draft} draft
 * @param {() => number} random returns a number from 0 to 1
 * @returns {Record<string, unknown>[]}
 */
export function requestsOf(draft, random = Math.random) {
  const first = draft.seed.trim() ? Number(draft.seed) : Math.floor(random() * SEEDS);
  return Array.from({ length: draft.takes }, (_, at) => ({ ...fieldsOf(draft), seed: first + at }));
}

/**
 * Return the fields of a draft, without a seed.
 *
 * @param {Draft} draft
 * @returns {Record<string, unknown>}
 */
export function fieldsOf(draft) {
  const common = { prompt: draft.prompt.trim(), ...(draft.model === "composer" ? {} : { model: draft.model }) };
  if (draft.model !== "composer") return { ...common, ...lengthOf(draft.length) };
  const without = draft.without.length ? { without: draft.without } : {};
  const hits = draft.hits.length ? { hits: draft.hits } : {};
  return { ...common, ...formOf(draft.form), ...lengthOf(draft.length), ...draft.fixed, ...draft.more, ...without, ...hits };
}

/**
 * Return a form as a field: "loop", "track", "sting", "bumper" or "bed".
 *
 * @param {string} form
 * @returns {Record<string, unknown>}
 */
export function formOf(form) {
  if (form === "loop") return { loop: true };
  return form === "track" ? {} : { form };
}

/**
 * Return a length as typed as a field: "8 bars" or a time, which the server reads and checks.
 *
 * @param {string} text
 * @returns {Record<string, unknown>}
 */
export function lengthOf(text) {
  const typed = text.trim();
  if (!typed) return {};
  const bars = BARS.exec(typed);
  return bars ? { bars: Number(bars[1]) } : { duration: typed };
}

/**
 * Return the draft that asks for what a request asked for.
 *
 * @param {Record<string, any>} request
 * @param {Draft} draft gives what the request leaves open
 * @returns {Draft}
 */
export function draftOf(request, draft) {
  const length = request.bars ? `${request.bars} bars` : request.duration ? `${request.duration} s` : "";
  const form = request.loop ? "loop" : (request.form ?? "track");
  return {
    ...draft,
    prompt: String(request.prompt ?? ""),
    model: request.model ?? "composer",
    form,
    length,
    fixed: givenOf(request, FIXED),
    more: givenOf(request, MORE),
    without: request.without ?? [],
    hits: request.hits ?? [],
  };
}

/**
 * Return those of some fields that a request has.
 *
 * @param {Record<string, unknown>} request
 * @param {readonly string[]} names
 */
function givenOf(request, names) {
  const has = (/** @type {unknown} */ value) =>
    value !== undefined && value !== null && !(Array.isArray(value) && !value.length);
  return Object.fromEntries(names.filter((name) => has(request[name])).map((name) => [name, request[name]]));
}
