/** LivePlayer: plays the blocks of a live stream one after another, without a gap while they come in time. */

/** The stock with which it begins, and begins again after it ran dry. */
const FIRST_SECONDS = 0.08;

/** More than this in stock is from a stall: it is skipped, or every later change would be heard late. */
const MOST_SECONDS = 0.6;

/** Schedules sound on an audio context of the stream's own sample rate. */
export class LivePlayer {
  #context;
  #gain;
  #end = 0;

  /**
   * @param {number} sampleRate in Hz
   * @param {number} volume 0 to 1
   */
  constructor(sampleRate, volume) {
    this.#context = new AudioContext({ sampleRate, latencyHint: "interactive" });
    this.#gain = new GainNode(this.#context, { gain: volume });
    this.#gain.connect(this.#context.destination);
  }

  /** @param {Float32Array[]} channels */
  play(channels) {
    const length = channels[0]?.length ?? 0;
    if (!length || this.#context.state === "closed") return;
    const now = this.#context.currentTime;
    if (this.#end - now > MOST_SECONDS) return;
    if (this.#end <= now) this.#end = now + FIRST_SECONDS;
    const buffer = new AudioBuffer({ length, numberOfChannels: channels.length, sampleRate: this.#context.sampleRate });
    channels.forEach((samples, channel) => buffer.getChannelData(channel).set(samples));
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#gain);
    source.start(this.#end);
    this.#end += length / this.#context.sampleRate;
  }

  /** Be silent at once. */
  stop() {
    if (this.#context.state !== "closed") void this.#context.close();
  }
}
