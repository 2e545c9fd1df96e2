/** The answers of the brief that are shown as chips, and how a draft decides them. */

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Draft} Draft
 * @typedef {import("./types.js").Fixed} Fixed
 * @typedef {import("./types.js").FixedField} FixedField
 * @typedef {import("../js/src/types.js").ExplainedAnswer} Answer
 */

/** What each field is called; the others are options below the prompt, or have no words. */
export const LABELS = /** @type {Record<string, string>} */ ({
  genre: "Genre",
  mood: "Mood",
  tempo: "Tempo",
  key: "Key",
  meter: "Meter",
  instruments: "Instrument",
  without: "Without",
  ambience: "Ambience",
  production: "Sound",
});

/** The fields of a request that chips decide. */
export const FIXED = /** @type {const} */ (["genre", "tempo_bpm", "key", "meter", "instruments"]);

/** As many as fit on one line beside each other. */
const MOST_CHIPS = 9;

/**
 * Return the answers to be shown, in the order of the server: all that words and settings say, and of the band that the
 * genre brings as many players as there is room for. What is left out by the draft has chips of its own.
 *
 * @param {State} state
 * @returns {Answer[]}
 */
export function answersOf({ draft, brief }) {
  if (!draft.prompt.trim() || !brief) return [];
  const shown = brief.answers.filter(({ field, is_locked }) => field in LABELS && !(field === "without" && is_locked));
  const band = shown.filter(isOfTheBand);
  const room = Math.max(0, MOST_CHIPS - (shown.length - band.length) - draft.without.length);
  const left = new Set(band.slice(room));
  return shown.filter((answer) => !left.has(answer));
}

/**
 * Return whether an answer is an instrument that nobody has asked for.
 *
 * @param {Answer} answer
 */
export function isOfTheBand({ field, source }) {
  return field === "instruments" && source !== "words" && source !== "setting";
}

/**
 * Return the field of the request by which a chip decides an answer, null if only the words of the prompt do.
 *
 * @param {Answer} answer
 * @returns {FixedField | null}
 */
export function fixedBy({ sets }) {
  return FIXED.find((field) => field === sets) ?? null;
}

/**
 * Return the draft with an answer decided: any other for its field gives way, instruments join the others.
 *
 * @param {Draft} draft
 * @param {FixedField} field
 * @param {unknown} value
 * @returns {Draft}
 */
export function decide(draft, field, value) {
  if (field === "instruments") {
    const name = String(value);
    const others = (draft.fixed.instruments ?? []).filter((one) => one !== name);
    const without = draft.without.filter((one) => one !== name);
    return { ...draft, without, fixed: { ...draft.fixed, instruments: [...others, name] } };
  }
  return { ...draft, fixed: { ...draft.fixed, [field]: field === "tempo_bpm" ? Number(value) : String(value) } };
}

/**
 * Return the draft with an answer left to the composer again.
 *
 * @param {Draft} draft
 * @param {FixedField} field
 * @param {unknown} value
 * @returns {Draft}
 */
export function release(draft, field, value) {
  const { [field]: _, ...others } = draft.fixed;
  const left = (draft.fixed.instruments ?? []).filter((one) => one !== value);
  return { ...draft, fixed: field === "instruments" && left.length ? { ...others, instruments: left } : others };
}
