/** The answers of the brief as chips: the composer's own, and those that the user has decided. */

import { capital, keyName, named } from "./words.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Draft} Draft
 * @typedef {import("./types.js").FixedField} FixedField
 *
 * @typedef {object} Answer
 * @property {string} field as in the brief
 * @property {string} label
 * @property {string} value as the brief or the request has it
 * @property {string} shown the value in words
 * @property {"prompt" | "meaning" | "genre" | "chance" | "flag"} source "flag" is the user's own
 * @property {string} because
 * @property {FixedField | null} fixes the request's field that decides it; null if only the prompt does
 */

/** @type {Record<string, {label: string, fixes: FixedField | null}>} */
export const FIELDS = {
  genre: { label: "Genre", fixes: "genre" },
  mood: { label: "Mood", fixes: null },
  tempo: { label: "Tempo", fixes: "tempo_bpm" },
  key: { label: "Key", fixes: "key" },
  meter: { label: "Meter", fixes: "meter" },
  instruments: { label: "Instrument", fixes: "instruments" },
  ambience: { label: "Ambience", fixes: null },
};

/**
 * Return the answers in the order of FIELDS.
 *
 * @param {State} state
 * @returns {Answer[]}
 */
export function answersOf({ draft, brief }) {
  const reasons = draft.prompt.trim() && brief ? brief.reasons : [];
  return Object.entries(FIELDS).flatMap(([field, { label, fixes }]) => {
    const decided = fixes ? decidedOf(draft, fixes) : [];
    const read = reasons.filter(
      (reason) => reason.field === field && !(fixes && fixes !== "instruments" && decided.length),
    );
    const own = decided.map((value) => answer(field, label, value, "flag", "you decided it"));
    const theirs = read
      .flatMap(({ value, source, because }) =>
        split(field, value).map((one) => answer(field, label, one, source, because)),
      )
      .filter(({ value }) => !decided.includes(value) && !draft.without.includes(value));
    return [...own, ...theirs];
  });

  /**
   * @param {string} field
   * @param {string} label
   * @param {string} value
   * @param {string} source
   * @param {string} because
   * @returns {Answer}
   */
  function answer(field, label, value, source, because) {
    const shown = shownAs(field, value);
    return {
      field,
      label,
      value,
      shown,
      source: /** @type {Answer["source"]} */ (source),
      because,
      fixes: FIELDS[field]?.fixes ?? null,
    };
  }
}

/**
 * Return the draft with an answer decided: any other for its field gives way, instruments join the others.
 *
 * @param {Draft} draft
 * @param {FixedField} field
 * @param {string} value
 * @returns {Draft}
 */
export function decide(draft, field, value) {
  const without = field === "instruments" ? draft.without.filter((one) => one !== value) : draft.without;
  if (field === "instruments") {
    const others = (draft.fixed.instruments ?? []).filter((one) => one !== value);
    return { ...draft, without, fixed: { ...draft.fixed, instruments: [...others, value] } };
  }
  const decided = field === "tempo_bpm" ? Number.parseFloat(value) : value;
  return { ...draft, fixed: { ...draft.fixed, [field]: decided } };
}

/**
 * Return the draft with an answer left to the composer again.
 *
 * @param {Draft} draft
 * @param {FixedField} field
 * @param {string} value
 * @returns {Draft}
 */
export function release(draft, field, value) {
  const { [field]: _, ...others } = draft.fixed;
  const left = (draft.fixed.instruments ?? []).filter((one) => one !== value);
  return { ...draft, fixed: field === "instruments" && left.length ? { ...others, instruments: left } : others };
}

/**
 * @param {Draft} draft
 * @param {FixedField} field
 * @returns {string[]}
 */
function decidedOf({ fixed }, field) {
  const value = fixed[field];
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  return [field === "tempo_bpm" ? `${value} bpm` : String(value)];
}

/** @param {string} field @param {string} value */
function split(field, value) {
  return field === "instruments" ? value.split(/,\s*/) : [value];
}

/** @param {string} field @param {string} value */
function shownAs(field, value) {
  if (field === "key") return keyName(value);
  if (field === "mood") return capital(value.replace(/ \(.*\)$/, ""));
  return field === "tempo" || field === "meter" ? value : named(value);
}
