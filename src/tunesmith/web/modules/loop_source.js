/** A sound's source node with its loop, exact to the sample. */

/**
 * @typedef {object} Region seconds; the end is exclusive
 * @property {number} start
 * @property {number} end
 */

/** The shortest loop; a shorter one would be a tone. */
export const SHORTEST_SECONDS = 0.05;

/**
 * Return a source that plays a buffer and, with a region, repeats it without a gap.
 *
 * @param {BaseAudioContext} context
 * @param {AudioBuffer} buffer
 * @param {Region | null} region
 */
export function loopSource(context, buffer, region) {
  const source = new AudioBufferSourceNode(context, { buffer, loop: region !== null });
  if (region) {
    source.loopStart = onSample(region.start, buffer.sampleRate);
    source.loopEnd = onSample(region.end, buffer.sampleRate);
  }
  return source;
}

/**
 * Return where a position is that went on through a loop.
 *
 * @param {number} position seconds
 * @param {Region | null} region
 */
export function wrapped(position, region) {
  if (!region || position < region.end) return position;
  return region.start + ((position - region.start) % (region.end - region.start));
}

/**
 * Return a time moved to the nearest sample: between samples the browser would interpolate, and dull the seam.
 *
 * @param {number} seconds
 * @param {number} sampleRate
 */
export function onSample(seconds, sampleRate) {
  return Math.round(seconds * sampleRate) / sampleRate;
}
