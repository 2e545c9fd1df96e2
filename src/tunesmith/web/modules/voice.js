/** A voice: sounds that play together from one position, exact to the sample, each with a gain of its own. */

import { loopSource, onSample, wrapped } from "./loop_source.js";

/**
 * @typedef {import("./loop_source.js").Region} Region
 *
 * @typedef {object} Layer a sound of a voice
 * @property {AudioBuffer} buffer
 * @property {number} gain
 *
 * @typedef {object} Start
 * @property {number} offset seconds
 * @property {Region | null} region the loop
 * @property {number} gain of the whole
 * @property {number} [time] of the context's clock; by default at once
 */

/** Between voices, so that no click is heard. */
export const FADE_SECONDS = 0.012;
/** How far ahead a voice starts: all its sources must be told before their time comes. */
const AHEAD_SECONDS = 0.005;

export class Voice {
  #context;
  #region;
  #offset;
  #startedAt;
  #whole;
  /** @type {AudioBufferSourceNode[]} */
  #sources;
  /** @type {GainNode[]} */
  #gains;

  /**
   * Start to sound.
   *
   * @param {BaseAudioContext} context
   * @param {AudioNode} output
   * @param {Layer[]} layers of the same length
   * @param {Start} start
   */
  constructor(context, output, layers, { offset, region, gain, time }) {
    this.#context = context;
    this.#region = region;
    this.#offset = offset;
    const soon = context.currentTime + (layers.length > 1 ? AHEAD_SECONDS : 0);
    this.#startedAt = onSample(time ?? soon, context.sampleRate);
    this.#whole = new GainNode(context, { gain: 0 });
    this.#whole.gain.setValueAtTime(0, this.#startedAt);
    this.#whole.gain.linearRampToValueAtTime(gain, this.#startedAt + FADE_SECONDS);
    this.#whole.connect(output);
    this.#gains = layers.map((layer) => new GainNode(context, { gain: layer.gain }));
    this.#sources = layers.map(({ buffer }, at) => {
      const source = loopSource(context, buffer, region);
      source.connect(/** @type {GainNode} */ (this.#gains[at])).connect(this.#whole);
      source.start(this.#startedAt, offset);
      return source;
    });
  }

  /** The position in the sounds, in seconds. */
  get position() {
    return wrapped(this.#offset + Math.max(0, this.#context.currentTime - this.#startedAt), this.#region);
  }

  /**
   * Call `then` when the sounds have ended by themselves.
   *
   * @param {() => void} then
   */
  set onended(then) {
    const [first] = this.#sources;
    if (first) first.onended = then;
  }

  /**
   * Change how loud each sound is, without a click.
   *
   * @param {number[]} gains
   */
  balance(gains) {
    gains.forEach((gain, at) => {
      this.#gains[at]?.gain.setTargetAtTime(gain, this.#context.currentTime, FADE_SECONDS);
    });
  }

  /** Fade out and end. */
  stop() {
    const now = this.#context.currentTime;
    this.#whole.gain.cancelScheduledValues(now);
    this.#whole.gain.setTargetAtTime(0, now, FADE_SECONDS / 4);
    for (const source of this.#sources) {
      source.onended = null;
      source.stop(now + FADE_SECONDS);
    }
  }
}
