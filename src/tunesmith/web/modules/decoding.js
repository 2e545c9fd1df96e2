/** Decoding of sound files. */

/**
 * Return a file as samples at its own rate, so that loop points fall on them.
 *
 * @param {Uint8Array} file
 * @param {number} sampleRate Hz
 * @returns {Promise<AudioBuffer>}
 */
export function decoded(file, sampleRate) {
  const context = new OfflineAudioContext(2, 1, sampleRate);
  // A copy, since the browser takes the bytes away from whoever has them.
  return context.decodeAudioData(/** @type {ArrayBuffer} */ (file.slice().buffer));
}
