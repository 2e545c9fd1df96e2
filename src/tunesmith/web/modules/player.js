/** The player: sounds the take on the stage from one position, through changes of take, loop and region. */

import { loopSource, SHORTEST_SECONDS, wrapped } from "./loop_source.js";
import { Sounds } from "./sound.js";
import { Store, takeOf } from "./store.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./loop_source.js").Region} Region
 *
 * @typedef {object} Voice what sounds now
 * @property {AudioBufferSourceNode} source
 * @property {GainNode} gain
 * @property {number} startedAt the context's time
 * @property {number} offset the position at that time
 * @property {Region | null} region
 */

/** Between takes, so that no click is heard. */
const FADE_SECONDS = 0.012;

/** Follows the state: isPlaying, the take on the stage, the loop; only the position is its own. */
export class Player {
  #store;
  #sounds;
  /** @type {AudioContext | undefined} */
  #context;
  /** @type {GainNode | undefined} */
  #master;
  /** @type {Voice | undefined} */
  #voice;
  #rest = 0;
  /** @type {((seconds: number) => void)[]} */
  #watchers = [];

  /**
   * @param {Store} store
   * @param {Sounds} sounds
   */
  constructor(store, sounds) {
    this.#store = store;
    this.#sounds = sounds;
    store.watch(
      (state) => [state.isPlaying, state.isLooping, state.region, sounds.of(state.current)],
      () => this.#follow(),
    );
    store.watch(
      (state) => [state.volume],
      (state) => this.#setVolume(state.volume),
    );
  }

  /** The position in the take, in seconds. */
  get position() {
    const voice = this.#voice;
    if (!voice || !this.#context) return this.#rest;
    return wrapped(voice.offset + Math.max(0, this.#context.currentTime - voice.startedAt), voice.region);
  }

  /** Play or pause. */
  toggle() {
    this.#store.change({ isPlaying: !this.#store.state.isPlaying });
  }

  /**
   * Go to a position of the take.
   *
   * @param {number} seconds
   */
  seek(seconds) {
    const end = takeOf(this.#store.state)?.facts?.duration ?? 0;
    this.#stop();
    this.#rest = Math.max(0, Math.min(seconds, end - 0.01));
    this.#follow();
  }

  /**
   * Call `draw` with the position now, and whenever it moves.
   *
   * @param {(seconds: number) => void} draw
   */
  watchPosition(draw) {
    this.#watchers.push(draw);
    draw(this.position);
  }

  #follow() {
    const { isPlaying, current } = this.#store.state;
    this.#stop();
    const sound = this.#sounds.of(current);
    if (isPlaying && sound) this.#start(sound);
    this.#tell();
  }

  /** @param {import("./sound.js").Sound} sound */
  #start({ buffer, loudnessLufs }) {
    const { context, master } = this.#opened();
    const region = regionOf(this.#store.state);
    const isAtEnd = this.#rest >= buffer.duration - 0.02;
    const offset = wrapped(isAtEnd ? 0 : this.#rest, region);
    const source = loopSource(context, buffer, region);
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.linearRampToValueAtTime(this.#matchedGain(loudnessLufs), context.currentTime + FADE_SECONDS);
    source.connect(gain).connect(master);
    source.onended = () => this.#voice?.source === source && this.#ended();
    source.start(0, offset);
    this.#voice = { source, gain, startedAt: context.currentTime, offset, region };
    void context.resume();
    requestAnimationFrame(() => this.#frame());
  }

  #stop() {
    const voice = this.#voice;
    if (!voice || !this.#context) return;
    this.#rest = this.position;
    this.#voice = undefined;
    const now = this.#context.currentTime;
    voice.gain.gain.cancelScheduledValues(now);
    voice.gain.gain.setTargetAtTime(0, now, FADE_SECONDS / 4);
    voice.source.stop(now + FADE_SECONDS);
  }

  #ended() {
    this.#voice = undefined;
    this.#rest = 0;
    this.#store.change({ isPlaying: false });
  }

  #frame() {
    if (!this.#voice) return;
    this.#tell();
    requestAnimationFrame(() => this.#frame());
  }

  #tell() {
    for (const draw of this.#watchers) draw(this.position);
  }

  /** The gain that brings a take down to the quietest: louder is not better. */
  #matchedGain(/** @type {number} */ loudnessLufs) {
    const others = this.#store.state.takes.map((take) => this.#sounds.of(take.id)?.loudnessLufs ?? Infinity);
    return 10 ** ((Math.min(loudnessLufs, ...others) - loudnessLufs) / 20);
  }

  #opened() {
    // Browsers open a context only after a gesture, so not before the first sound.
    const context = (this.#context ??= new AudioContext());
    const master = (this.#master ??= new GainNode(context, { gain: this.#store.state.volume ** 2 }));
    master.connect(context.destination);
    return { context, master };
  }

  /** @param {number} volume */
  #setVolume(volume) {
    // The ear hears the square as even steps.
    if (this.#master && this.#context) this.#master.gain.setTargetAtTime(volume ** 2, this.#context.currentTime, 0.01);
  }
}

/**
 * Return the loop that is heard, null where the take plays to its end.
 *
 * @param {State} state
 * @returns {Region | null}
 */
export function regionOf({ isLooping, region, takes, current }) {
  const facts = takes.find((take) => take.id === current)?.facts;
  if (!isLooping || !facts) return null;
  const { duration, loopFrames, sampleRate } = facts;
  const whole = loopFrames
    ? { start: loopFrames.start / sampleRate, end: loopFrames.end / sampleRate }
    : { start: 0, end: duration };
  // Another take may be too short for the region.
  if (!region || region.end > duration + SHORTEST_SECONDS) return whole;
  return { start: region.start, end: Math.min(region.end, duration) };
}
