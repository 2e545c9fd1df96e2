/** Spans of the server's answers, which count code points, in strings, which count UTF-16 units. */

/** @typedef {{start: number, end: number}} Span the end is exclusive */

/**
 * Return spans in code points as spans in UTF-16 units, in order, those that overlap joined.
 *
 * @param {string} text
 * @param {Span[]} spans
 * @returns {Span[]}
 */
export function inUnits(text, spans) {
  const starts = [0];
  for (const character of text) starts.push((starts.at(-1) ?? 0) + character.length);
  const unit = (/** @type {number} */ point) => starts[Math.min(point, starts.length - 1)] ?? text.length;
  /** @type {Span[]} */
  const joined = [];
  for (const { start, end } of [...spans].sort((one, other) => one.start - other.start)) {
    const last = joined.at(-1);
    if (last && unit(start) < last.end) last.end = Math.max(last.end, unit(end));
    else joined.push({ start: unit(start), end: unit(end) });
  }
  return joined;
}

/**
 * Return a text without the words in spans, nor what joined them to the others.
 *
 * @param {string} text
 * @param {Span[]} spans in code points
 */
export function withoutSpans(text, spans) {
  let left = text;
  for (const { start, end } of inUnits(text, spans).reverse()) left = left.slice(0, start) + left.slice(end);
  return left
    .replace(/(\s*(,|and|with))+\s*(?=,|$)/gi, "")
    .replace(/\s+/g, " ")
    .trim();
}
