/** A WAV file of 16 bits that arrives in pieces. */

/**
 * @typedef {object} WavFormat
 * @property {number} sampleRate Hz
 * @property {number} channels
 * @property {number} frames of the whole file, as its head says
 */

const BYTES_PER_SAMPLE = 2;
const PCM = 1;
/** Chunks before the samples are small; a longer head is not one of a stream. */
const LONGEST_HEAD = 4096;

/** Reads samples as they arrive. */
export class PcmReader {
  /** @type {WavFormat | null} null until the head has arrived */
  format = null;
  #bytes = new Uint8Array(0);

  /** @param {Uint8Array} bytes */
  add(bytes) {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
    if (this.format) return;
    const head = headOf(joined);
    if (!head) return;
    this.format = head.format;
    this.#bytes = joined.subarray(head.size);
  }

  /** The frames that have arrived and were not taken. */
  get frames() {
    return this.format ? Math.floor(this.#bytes.length / (BYTES_PER_SAMPLE * this.format.channels)) : 0;
  }

  /**
   * Return all frames that wait, one array for each channel.
   *
   * @param {number} kept how many of the last frames are returned the next time too
   * @returns {Float32Array<ArrayBuffer>[]}
   */
  take(kept) {
    const { frames } = this;
    const channels = this.format?.channels ?? 0;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    const taken = Array.from({ length: channels }, (_, channel) => {
      const samples = new Float32Array(frames);
      for (let at = 0; at < frames; at += 1) {
        samples[at] = view.getInt16((at * channels + channel) * BYTES_PER_SAMPLE, true) / 32768;
      }
      return samples;
    });
    this.#bytes = this.#bytes.slice(Math.max(0, frames - kept) * channels * BYTES_PER_SAMPLE);
    return taken;
  }
}

/**
 * Return the format and the bytes of the head; null while it is not complete. Throws RangeError for another format.
 *
 * @param {Uint8Array} bytes
 * @returns {{format: WavFormat, size: number} | null}
 */
function headOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (/** @type {number} */ at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  /** @type {{channels: number, sampleRate: number} | null} */
  let format = null;
  for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true)) {
    if (name(at) === "fmt " && at + 24 <= bytes.length) {
      const isKnown = view.getUint16(at + 8, true) === PCM && view.getUint16(at + 22, true) === 8 * BYTES_PER_SAMPLE;
      if (!isKnown) throw new RangeError("the stream is no WAV of 16 bits");
      format = { channels: view.getUint16(at + 10, true), sampleRate: view.getUint32(at + 12, true) };
    }
    if (name(at) === "data" && format) {
      const frames = view.getUint32(at + 4, true) / (format.channels * BYTES_PER_SAMPLE);
      return { format: { ...format, frames }, size: at + 8 };
    }
  }
  if (bytes.length > LONGEST_HEAD) throw new RangeError("the stream has no head of a WAV file");
  return null;
}
