/** The player: sounds the take on the stage from one position, through changes of take, mix, loop and region. */

import { Choice } from "./audible.js";
import { SHORTEST_SECONDS, wrapped } from "./loop_source.js";
import { Sounds } from "./sound.js";
import { Store, takeOf } from "./store.js";
import { Voice } from "./voice.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./loop_source.js").Region} Region
 */

/** How long a sound device may take to open, as one without a wire does. */
const OPENING_MS = 5_000;
/** @type {import("./types.js").Problem} */
const NO_DEVICE = {
  title: "The browser has opened no sound device",
  advice: "Connect one, or allow this page to play, and press Play again. Everything else works without.",
};

/** Follows the state: isPlaying, the take on the stage, its mix, the loop; only the position is its own. */
export class Player {
  #store;
  #sounds;
  #choice;
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
   * @param {Choice} choice
   */
  constructor(store, sounds, choice) {
    this.#store = store;
    this.#sounds = sounds;
    this.#choice = choice;
    store.watch(
      (state) => [state.isPlaying, state.isLooping, state.region, sounds.of(state.current), choice.of(state)?.kind],
      () => this.#follow(),
    );
    store.watch(
      (state) => [state.mixes, state.intensity],
      (state) => this.#voice?.balance(choice.of(state)?.layers.map(({ gain }) => gain) ?? []),
    );
    store.watch(
      (state) => [state.volume],
      (state) => this.#setVolume(state.volume),
    );
  }

  /** The position in the take, in seconds. */
  get position() {
    return this.#voice?.position ?? this.#rest;
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
    this.#stop();
    const audible = this.#choice.of(this.#store.state);
    if (this.#store.state.isPlaying && audible) this.#start(audible);
    this.#tell();
  }

  /** @param {import("./audible.js").Audible} audible */
  #start({ layers, loudnessLufs }) {
    const { context, master } = this.#opened();
    const region = regionOf(this.#store.state);
    const isAtEnd = this.#rest >= (layers[0]?.buffer.duration ?? 0) - 0.02;
    const offset = wrapped(isAtEnd ? 0 : this.#rest, region);
    const voice = new Voice(context, master, layers, { offset, region, gain: this.#matchedGain(loudnessLufs) });
    voice.onended = () => this.#voice === voice && this.#ended();
    this.#voice = voice;
    void context.resume();
    if (context.state !== "running") setTimeout(() => this.#giveUp(voice), OPENING_MS);
    requestAnimationFrame(() => this.#frame(voice));
  }

  #stop() {
    if (!this.#voice) return;
    this.#rest = this.#voice.position;
    this.#voice.stop();
    this.#voice = undefined;
  }

  #ended() {
    this.#voice = undefined;
    this.#rest = 0;
    this.#store.change({ isPlaying: false });
  }

  /** @param {Voice} voice one that may not have begun: without a device Firefox waits for ever, and says nothing */
  #giveUp(voice) {
    if (this.#voice !== voice || this.#context?.state === "running") return;
    this.#store.change({ isPlaying: false, notice: NO_DEVICE });
  }

  /** @param {Voice} voice */
  #frame(voice) {
    if (this.#voice !== voice) return;
    this.#tell();
    requestAnimationFrame(() => this.#frame(voice));
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
