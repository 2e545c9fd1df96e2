/** A live voice: plays a sound while it arrives, and waits where it has not. */

import { onSample } from "./loop_source.js";
import { FADE_SECONDS } from "./voice.js";

/** How far ahead segments are told to the device; the browser may call a page in the background once a second. */
const AHEAD_SECONDS = 8;
const LOOK_MS = 500;
/** After a gap a little more is waited for, so that the next one is not near. */
const CUSHION_SECONDS = 0.3;

export class LiveVoice {
  #context;
  #sound;
  #whole;
  #gain;
  #offset;
  #next;
  /** When the sound's beginning would have been, on the clock of the device; null until the first segment is told. */
  /** @type {number | null} */
  #zero = null;
  /** @type {{source: AudioBufferSourceNode, end: number}[]} */
  #sources = [];
  #timer;
  /** @type {() => void} */
  onended = () => {};

  /**
   * Start to sound.
   *
   * @param {BaseAudioContext} context
   * @param {AudioNode} output
   * @param {import("./live_sound.js").LiveSound} sound
   * @param {{offset: number, gain: number}} start offset in seconds
   */
  constructor(context, output, sound, { offset, gain }) {
    this.#context = context;
    this.#sound = sound;
    this.#offset = offset;
    this.#gain = gain;
    this.#whole = new GainNode(context, { gain });
    this.#whole.connect(output);
    this.#next = sound.segments.findLastIndex(({ start }) => start <= offset);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  /** The position in the sound, in seconds. */
  get position() {
    return this.positionAt(this.#context.currentTime);
  }

  /**
   * Return the position at a time of the device's clock: it waits where nothing has arrived.
   *
   * @param {number} time
   */
  positionAt(time) {
    if (this.#zero === null) return this.#offset;
    const told = this.#sound.segments[this.#next - 1];
    const end = told ? told.start + told.buffer.duration : this.#offset;
    return Math.min(Math.max(this.#offset, time - this.#zero), end);
  }

  /** More has arrived. */
  feed() {
    this.#look();
  }

  /** A live sound is heard as it is mixed. */
  balance() {}

  /**
   * Fade out and end, now or at a time of the device's clock, from which the file goes on.
   *
   * @param {number} [time]
   */
  stop(time = this.#context.currentTime) {
    clearInterval(this.#timer);
    this.onended = () => {};
    this.#whole.gain.setValueAtTime(this.#gain, time);
    this.#whole.gain.linearRampToValueAtTime(0, time + FADE_SECONDS);
    for (const { source } of this.#sources) source.stop(time + FADE_SECONDS);
  }

  #look() {
    const now = this.#context.currentTime;
    this.#sources = this.#sources.filter(({ end }) => end > now - 1);
    for (;;) {
      const segment = this.#sound.segments[this.#next];
      if (!segment) break;
      if (this.#zero !== null && segment.start + this.#zero > now + AHEAD_SECONDS) return;
      this.#tell(segment, now);
    }
    const isOver = this.#sound.isWhole && this.#zero !== null && this.position >= this.#sound.arrived - 0.01;
    if (!isOver) return;
    clearInterval(this.#timer);
    this.onended();
  }

  /**
   * @param {import("./live_sound.js").Segment} segment
   * @param {number} now
   */
  #tell({ start, buffer }, now) {
    const from = Math.max(start, this.#offset);
    const isFirst = this.#zero === null;
    // Late: all that follows is moved, so that nothing is left out.
    if (this.#zero === null || this.#zero + from < now) {
      this.#zero = onSample(now + (isFirst ? FADE_SECONDS : CUSHION_SECONDS), this.#context.sampleRate) - from;
    }
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#whole);
    source.start(this.#zero + from, from - start);
    this.#sources.push({ source, end: this.#zero + start + buffer.duration });
    this.#next += 1;
  }
}
