/** The envelope of a sound: its peak and RMS level in equal slices, for drawing. */

/** More than the widest screen has pixels; each slice of a long piece is still short. */
const SLICES = 2400;

/**
 * @typedef {object} Envelope values from 0 to 1, where 1 is the highest peak of the sound
 * @property {Float32Array} peaks
 * @property {Float32Array} rms
 */

/**
 * @param {AudioBuffer} buffer
 * @returns {Envelope}
 */
export function envelopeOf(buffer) {
  const slices = Math.min(SLICES, buffer.length);
  const peaks = new Float32Array(slices);
  const rms = new Float32Array(slices);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const samples = buffer.getChannelData(channel);
    for (let slice = 0; slice < slices; slice += 1) {
      const from = Math.floor((slice * samples.length) / slices);
      const { peak, power } = levelOf(samples.subarray(from, Math.floor(((slice + 1) * samples.length) / slices)));
      peaks[slice] = Math.max(peaks[slice] ?? 0, peak);
      rms[slice] = (rms[slice] ?? 0) + power / buffer.numberOfChannels;
    }
  }
  const highest = Math.max(1e-6, ...peaks);
  return { peaks: peaks.map((peak) => peak / highest), rms: rms.map((power) => Math.sqrt(power) / highest) };
}

/** @param {Float32Array} samples */
function levelOf(samples) {
  let peak = 0;
  let sum = 0;
  for (const sample of samples) {
    peak = Math.max(peak, Math.abs(sample));
    sum += sample * sample;
  }
  return { peak, power: sum / Math.max(1, samples.length) };
}
