/** From the draft to the fields of requests, one for each take. */

import { FIXED } from "./answers.js";

/** @typedef {import("./types.js").Draft} Draft */

const BARS = /^(\d+)\s*bars?$/i;

/** Drawn seeds are short, to be read and typed; ten thousand pieces for a prompt are enough. */
export const SEEDS = 10_000;

/** Fields that a change of a piece may have set, and for which the page has no place of their own. */
const MORE = ["mood", "production", "ambience", "balance", "intro", "ending", "intensity"];

/** Fields that models other than the composer may take, and how a person would call them. */
export const SETTINGS_IN_WORDS = {
  loop: "Loop",
  guidance_scale: "Guidance",
  temperature: "Temperature",
  top_k: "Top k",
  top_p: "Top p",
  steps: "Steps",
  negative_prompt: "Avoid",
};
const SETTINGS = Object.keys(SETTINGS_IN_WORDS);

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
  if (draft.model !== "composer") return { ...common, ...lengthOf(draft.length), ...settingsOf(draft) };
  const without = draft.without.length ? { without: draft.without } : {};
  const hits = draft.hits.length ? { hits: draft.hits } : {};
  return { ...common, ...formOf(draft.form), ...lengthOf(draft.length), ...draft.fixed, ...draft.more, ...without, ...hits };
}

/**
 * Return what is set about the model, as fields; what is not a number is sent as typed, for the server to say so.
 *
 * @param {Draft} draft
 * @returns {Record<string, unknown>}
 */
function settingsOf({ model, settings }) {
  const given = Object.entries(settings[model] ?? {}).filter(([, value]) => value !== "" && value !== false);
  const valueOf = (/** @type {string} */ name, /** @type {string | boolean} */ value) =>
    name === "negative_prompt" || value === true || Number.isNaN(Number(value)) ? value : Number(value);
  return Object.fromEntries(given.map(([name, value]) => [name, valueOf(name, value)]));
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
 * Return whether a length as typed counts bars.
 *
 * @param {string} text
 */
export function isInBars(text) {
  return BARS.test(text.trim());
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
  const model = request.model ?? "composer";
  const form = model !== "composer" ? draft.form : request.loop ? "loop" : (request.form ?? "track");
  const set = Object.entries(givenOf(request, SETTINGS)).map(([name, value]) => [name, value === true || String(value)]);
  return {
    ...draft,
    prompt: String(request.prompt ?? ""),
    model,
    form,
    length,
    fixed: givenOf(request, FIXED),
    more: givenOf(request, MORE),
    without: request.without ?? [],
    hits: request.hits ?? [],
    settings: { ...draft.settings, [model]: Object.fromEntries(set) },
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
