/** The envelope of a sound that grows, for drawing what has arrived of it. */

/** Fewer than of a file: a stretch is drawn only until the file is there. */
const SLICES = 1200;

/** Collects the levels of a sound of known length. */
export class GrowingEnvelope {
  #frames;
  #peaks = new Float32Array(SLICES);
  #powers = new Float32Array(SLICES);

  /** @param {number} frames of the whole */
  constructor(frames) {
    this.#frames = frames;
  }

  /**
   * @param {Float32Array[]} samples of each channel
   * @param {number} start the frame at which they begin
   */
  add(samples, start) {
    const perSlice = this.#frames / SLICES;
    for (const channel of samples) {
      channel.forEach((sample, at) => {
        const slice = Math.min(SLICES - 1, Math.floor((start + at) / perSlice));
        this.#peaks[slice] = Math.max(this.#peaks[slice] ?? 0, Math.abs(sample));
        this.#powers[slice] = (this.#powers[slice] ?? 0) + (sample * sample) / (perSlice * samples.length);
      });
    }
  }

  /**
   * What has been added, where 1 is the highest peak so far.
   *
   * @returns {import("./envelope.js").Envelope}
   */
  get envelope() {
    const highest = Math.max(1e-6, ...this.#peaks);
    return {
      peaks: this.#peaks.map((peak) => peak / highest),
      rms: this.#powers.map((power) => Math.sqrt(power) / highest),
    };
  }
}
