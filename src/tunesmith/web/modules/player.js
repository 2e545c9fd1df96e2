/** The player: sounds the take on the stage from one position, through changes of take, mix, loop and region. */

import { Choice } from "./audible.js";
import { LiveVoice } from "./live_voice.js";
import { onSample, SHORTEST_SECONDS, wrapped } from "./loop_source.js";
import { Sounds } from "./sound.js";
import { Store, takeOf } from "./store.js";
import { Voice } from "./voice.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./loop_source.js").Region} Region
 */

/** How far ahead the file of a take is told to go on where its stream is. */
const AHEAD_SECONDS = 0.05;
/** How far a stream must be ahead of the take before, to take over. */
const LEAD_SECONDS = 1;
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
  /** @type {Voice | LiveVoice | undefined} */
  #voice;
  /** @type {string | null} the take that sounds */
  #sounding = null;
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
      (state) => [state.arrived],
      () => {
        if (this.#voice instanceof LiveVoice) this.#voice.feed();
        if (this.#sounding !== store.state.current) this.#follow();
      },
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
    const { arrived, current } = this.#store.state;
    const end = takeOf(this.#store.state)?.facts?.duration ?? arrived[current ?? ""] ?? 0;
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
    const audible = this.#choice.of(this.#store.state);
    if (isPlaying && this.#isAhead(audible)) return this.#tell();
    const heard = this.#voice;
    const hasFile = this.#sounding === current && audible && !audible.live;
    const time = isPlaying && hasFile && heard instanceof LiveVoice ? this.#handOver(heard) : undefined;
    this.#stop();
    if (isPlaying && audible) this.#start(audible, time);
    this.#tell();
  }

  /**
   * Return whether the take before sounds on, because the one on the stage has not arrived where it is: a change is heard
   * without a pause.
   *
   * @param {import("./audible.js").Audible | undefined} audible
   */
  #isAhead(audible) {
    const take = takeOf(this.#store.state);
    if (!this.#voice || !take || this.#sounding === take.id) return false;
    if (!audible) return take.state !== "failed";
    const { live } = audible;
    return live !== undefined && !live.isWhole && live.arrived < Math.min(this.position + LEAD_SECONDS, live.duration);
  }

  /**
   * The file goes on where its stream is, at a time that both are told.
   *
   * @param {LiveVoice} voice
   */
  #handOver(voice) {
    const { context } = this.#opened();
    const time = onSample(context.currentTime + AHEAD_SECONDS, context.sampleRate);
    this.#rest = voice.positionAt(time);
    voice.stop(time);
    this.#voice = undefined;
    return time;
  }

  /**
   * @param {import("./audible.js").Audible} audible
   * @param {number} [time]
   */
  #start({ layers, loudnessLufs, live }, time) {
    const { context, master } = this.#opened();
    const region = regionOf(this.#store.state);
    const duration = live?.duration ?? layers[0]?.buffer.duration ?? 0;
    const offset = wrapped(this.#rest >= duration - 0.02 ? 0 : this.#rest, region);
    const gain = this.#matchedGain(loudnessLufs);
    const voice = live
      ? new LiveVoice(context, master, live, { offset, gain })
      : new Voice(context, master, layers, { offset, region, gain, ...(time === undefined ? {} : { time }) });
    this.#sounding = this.#store.state.current;
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

  /** @param {Voice | LiveVoice} voice one that may not have begun: without a device Firefox waits for ever, and says nothing */
  #giveUp(voice) {
    if (this.#voice !== voice || this.#context?.state === "running") return;
    this.#store.change({ isPlaying: false, notice: NO_DEVICE });
  }

  /** @param {Voice | LiveVoice} voice */
  #frame(voice) {
    if (this.#voice !== voice) return;
    this.#tell();
    requestAnimationFrame(() => this.#frame(voice));
  }

  #tell() {
    for (const draw of this.#watchers) draw(this.position);
  }

  /** The gain that brings a take down to the quietest: louder is not better. */
  #matchedGain(/** @type {number | null} */ loudnessLufs) {
    if (loudnessLufs === null) return 1;
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
