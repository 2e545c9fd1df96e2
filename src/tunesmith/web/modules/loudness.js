/** Integrated loudness after ITU-R BS.1770-4, so that takes are compared at the same loudness. */

const BLOCK_SECONDS = 0.4;
const OVERLAP = 4;
const ABSOLUTE_GATE_LUFS = -70;
const RELATIVE_GATE_LU = -10;
/** The loudness of silence, for which the logarithm has no number. */
const SILENCE_LUFS = -70;

/**
 * Return the loudness of a sound in LUFS.
 *
 * @param {AudioBuffer} buffer
 */
export async function loudnessOf(buffer) {
  const steps = stepPowers(await weighted(buffer));
  const blocks = steps.slice(OVERLAP - 1).map((_, at) => mean(steps.slice(at, at + OVERLAP)));
  const audible = blocks.filter((power) => lufs(power) > ABSOLUTE_GATE_LUFS);
  if (!audible.length) return SILENCE_LUFS;
  const gate = lufs(mean(audible)) + RELATIVE_GATE_LU;
  return lufs(mean(audible.filter((power) => lufs(power) > gate)));
}

/**
 * Return the K-weighted sound: a high shelf of 4 dB and a high pass, as filters of the browser.
 *
 * @param {AudioBuffer} buffer
 */
function weighted(buffer) {
  const context = new OfflineAudioContext(buffer.numberOfChannels, buffer.length, buffer.sampleRate);
  const source = new AudioBufferSourceNode(context, { buffer });
  const shelf = new BiquadFilterNode(context, { type: "highshelf", frequency: 1500, gain: 4 });
  // In a high pass Q is in decibels: 20 log10 of 0.5.
  const pass = new BiquadFilterNode(context, { type: "highpass", frequency: 38, Q: -6.02 });
  source.connect(shelf).connect(pass).connect(context.destination);
  source.start();
  return context.startRendering();
}

/**
 * Return the mean power, summed over the channels, of each quarter of a block.
 *
 * @param {AudioBuffer} buffer
 */
function stepPowers(buffer) {
  const size = Math.round((BLOCK_SECONDS / OVERLAP) * buffer.sampleRate);
  /** @type {number[]} */
  const powers = Array(Math.max(OVERLAP, Math.floor(buffer.length / size))).fill(0);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const samples = buffer.getChannelData(channel);
    powers.forEach((power, at) => {
      let sum = 0;
      for (const sample of samples.subarray(at * size, (at + 1) * size)) sum += sample * sample;
      powers[at] = power + sum / size;
    });
  }
  return powers;
}

/** @param {number} power */
function lufs(power) {
  return power > 0 ? -0.691 + 10 * Math.log10(power) : -Infinity;
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
