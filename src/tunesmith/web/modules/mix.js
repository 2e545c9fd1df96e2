/** The mix of a take's parts: which are muted or alone, and how loud each is. */

/**
 * @typedef {import("./types.js").PartMix} PartMix
 * @typedef {import("./types.js").TakeMix} TakeMix
 */

export const LOWEST_DB = -24;
export const HIGHEST_DB = 12;

/** @type {PartMix} */
export const AS_WRITTEN = { isMuted: false, isSolo: false, gainDb: 0 };

/**
 * Return whether something of a mix is other than written.
 *
 * @param {TakeMix | undefined} mix
 */
export function isAltered(mix = {}) {
  return Object.values(mix).some(({ isMuted, isSolo, gainDb }) => isMuted || isSolo || gainDb !== 0);
}

/**
 * Return whether a part is not heard: muted, or not among those that are alone.
 *
 * @param {TakeMix | undefined} mix
 * @param {string} part
 */
export function isSilent(mix = {}, part) {
  const own = mix[part] ?? AS_WRITTEN;
  return Object.values(mix).some((one) => one.isSolo) ? !own.isSolo : own.isMuted;
}

/**
 * Return the gain of a part, a factor.
 *
 * @param {TakeMix | undefined} mix
 * @param {string} part
 */
export function gainOf(mix = {}, part) {
  if (isSilent(mix, part)) return 0;
  const { gainDb } = mix[part] ?? AS_WRITTEN;
  // The lowest end of the slider is silence.
  return gainDb <= LOWEST_DB ? 0 : 10 ** (gainDb / 20);
}

/**
 * Return the mix with changes to a part.
 *
 * @param {TakeMix | undefined} mix
 * @param {string} part
 * @param {Partial<PartMix>} change
 * @returns {TakeMix}
 */
export function withPart(mix = {}, part, change) {
  return { ...mix, [part]: { ...(mix[part] ?? AS_WRITTEN), ...change } };
}

/**
 * Return in words which parts are heard; empty if all are.
 *
 * @param {TakeMix | undefined} mix
 * @param {string[]} parts
 */
export function heardInWords(mix, parts) {
  const silent = parts.filter((part) => isSilent(mix, part));
  const names = (/** @type {string[]} */ some) => some.map((part) => part.replaceAll("_", " ")).join(", ");
  if (!silent.length) return "";
  if (silent.length === parts.length) return "Every part is muted";
  const isSolo = Object.values(mix ?? {}).some((one) => one.isSolo);
  return isSolo ? `Only ${names(parts.filter((part) => !silent.includes(part)))}` : `Without ${names(silent)}`;
}
