/** Hit points: moments that the music accents. They belong to the draft, and to each take that was asked for with them. */

/**
 * @typedef {import("./types.js").Hit} Hit
 * @typedef {import("./types.js").Take} Take
 */

/** Closer ones would be one accent. */
const APART_SECONDS = 0.1;

/**
 * Return the hits of a take's request.
 *
 * @param {Take | undefined} take
 * @returns {Hit[]}
 */
export function hitsOf(take) {
  return Array.isArray(take?.request.hits) ? take.request.hits : [];
}

/**
 * Return hits with one more, in order; the same where there is one already.
 *
 * @param {Hit[]} hits
 * @param {number} time seconds
 */
export function withHit(hits, time) {
  if (hits.some((hit) => Math.abs(hit.time - time) < APART_SECONDS)) return hits;
  return sorted([...hits, { time: rounded(time) }]);
}

/**
 * Return hits with another in the place of one.
 *
 * @param {Hit[]} hits
 * @param {Hit} before
 * @param {Hit | null} after null removes it
 */
export function replacedHit(hits, before, after) {
  const others = hits.filter((hit) => hit !== before);
  return after ? sorted([...others, { ...after, time: rounded(after.time) }]) : others;
}

/**
 * Return hits moved to the starts of the nearest bars, but none to the start of the piece.
 *
 * @param {Hit[]} hits
 * @param {number} barSeconds
 */
export function onBars(hits, barSeconds) {
  return hits.map((hit) => ({ ...hit, time: rounded(Math.max(1, Math.round(hit.time / barSeconds)) * barSeconds) }));
}

/**
 * Return whether two takes are asked for with the same hits.
 *
 * @param {Hit[]} some
 * @param {Hit[]} others
 */
export function areSame(some, others) {
  return some.length === others.length && some.every((hit) => isIn(hit, others));
}

/**
 * Return whether a hit is among others.
 *
 * @param {Hit} hit
 * @param {Hit[]} others
 */
export function isIn(hit, others) {
  return others.some(
    (one) => Math.abs(one.time - hit.time) < 0.005 && Boolean(one.climax) === Boolean(hit.climax),
  );
}

/** @param {Hit[]} hits */
function sorted(hits) {
  return hits.sort((one, other) => one.time - other.time);
}

/** @param {number} seconds */
function rounded(seconds) {
  return Math.round(seconds * 1000) / 1000;
}
