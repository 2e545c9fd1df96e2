/** Live sounds: pieces that are heard while they are made, as far as they have arrived. */

import { GrowingEnvelope } from "./growing_envelope.js";
import { Store, takeOf } from "./store.js";
import { PcmReader } from "./wav_stream.js";

/**
 * @typedef {object} Segment a stretch of a live sound, faded over its ends so that neighbours sum to the whole
 * @property {number} start seconds
 * @property {AudioBuffer} buffer
 */

/** With less in hand a busy server would make it stutter. */
const FIRST_SECONDS = 0.4;
/** The server is less than a second ahead of the ear until the piece is written: longer would come too late. */
const LEAST_SECONDS = 0.2;
/** Neighbours overlap: at another rate than the device's, cuts between samples would click. */
const OVERLAP_SECONDS = 0.004;

/** A sound that grows. */
export class LiveSound {
  /** @type {Segment[]} */
  segments = [];
  isWhole = false;
  /** Seconds of the whole, known from the start. */
  duration = 0;
  /** Seconds that have arrived. */
  arrived = 0;
  /** @type {GrowingEnvelope | undefined} */
  #levels;
  #reader = new PcmReader();
  #taken = 0;

  /** The levels of what has arrived; zero elsewhere. */
  get envelope() {
    return this.#levels?.envelope;
  }

  /** @param {Uint8Array} bytes the next of the file */
  add(bytes) {
    this.#reader.add(bytes);
    const { format } = this.#reader;
    if (!format) return;
    this.duration = format.frames / format.sampleRate;
    const waiting = this.#reader.frames / format.sampleRate;
    if (waiting >= (this.segments.length ? LEAST_SECONDS : FIRST_SECONDS)) this.#cut(format, false);
  }

  /** Nothing more comes. */
  end() {
    const { format } = this.#reader;
    if (format && this.#reader.frames) this.#cut(format, true);
    this.isWhole = true;
  }

  /**
   * Make a segment of what waits; all but the last leave their overlap for the next one to begin with.
   *
   * @param {import("./wav_stream.js").WavFormat} format
   * @param {boolean} isLast
   */
  #cut({ sampleRate, channels, frames }, isLast) {
    const overlap = Math.round(OVERLAP_SECONDS * sampleRate);
    const samples = this.#reader.take(isLast ? 0 : overlap);
    const length = samples[0]?.length ?? 0;
    const levels = (this.#levels ??= new GrowingEnvelope(frames));
    levels.add(samples, this.#taken);
    const buffer = new AudioBuffer({ length, sampleRate, numberOfChannels: channels });
    samples.forEach((channel, at) => {
      if (this.segments.length) fade(channel, 0, Math.min(overlap, length), true);
      if (!isLast) fade(channel, length - overlap, length, false);
      buffer.copyToChannel(channel, at);
    });
    this.segments = [...this.segments, { start: this.#taken / sampleRate, buffer }];
    this.#taken += isLast ? length : length - overlap;
    this.arrived = this.#taken / sampleRate;
  }
}

/** Listens to takes that are being made. */
export class LiveSounds {
  #store;
  #server;
  #begun;
  /** @type {Map<string, LiveSound>} */
  #sounds = new Map();
  /** @type {Map<string, AbortController>} */
  #listening = new Map();

  /**
   * @param {Store} store
   * @param {import("./server.js").Server} server
   * @param {(id: string) => void} begun called once with each take whose first sound has arrived
   */
  constructor(store, server, begun) {
    this.#store = store;
    this.#server = server;
    this.#begun = begun;
    store.watch(
      (state) => [state.takes, state.heard],
      () => this.#forget(),
    );
  }

  /**
   * What has arrived of a take; undefined before the first sound, and when its file is there.
   *
   * @param {string | null} id
   */
  of(id) {
    const sound = id === null ? undefined : this.#sounds.get(id);
    return sound?.segments.length ? sound : undefined;
  }

  /**
   * Listen to a take that is being made. A model that cannot be heard before the end is heard then, from its file.
   *
   * @param {string} id
   */
  async listen(id) {
    const job = takeOf(this.#store.state, id)?.job;
    if (!job || this.#listening.has(id)) return;
    // A browser opens six connections to a server: one for what is heard.
    for (const other of this.#listening.keys()) this.#stop(other);
    const stop = new AbortController();
    const sound = new LiveSound();
    this.#listening.set(id, stop);
    this.#sounds.set(id, sound);
    try {
      for await (const bytes of this.#server.client.listen(job, { signal: stop.signal })) {
        sound.add(bytes);
        this.#tell(id, sound);
      }
      sound.end();
      this.#tell(id, sound);
    } catch {
      // The file comes all the same and goes on from there; what went wrong with the job is told by its events.
    }
  }

  /**
   * @param {string} id
   * @param {LiveSound} sound
   */
  #tell(id, { arrived }) {
    const before = this.#store.state.arrived[id];
    if (!arrived || arrived === before || !this.#sounds.has(id)) return;
    this.#store.change({ arrived: { ...this.#store.state.arrived, [id]: arrived } });
    if (before === undefined) this.#begun(id);
  }

  /** A take that is gone, ended without a stream or has its file needs no stream any more. */
  #forget() {
    const { state } = this.#store;
    for (const id of this.#sounds.keys()) {
      const take = takeOf(state, id);
      const isSilent = take?.state === "ready" && state.arrived[id] === undefined;
      if (take && take.state !== "failed" && !isSilent && !state.heard.includes(id)) continue;
      this.#stop(id);
      this.#sounds.delete(id);
    }
  }

  /** @param {string} id */
  #stop(id) {
    this.#listening.get(id)?.abort();
    this.#listening.delete(id);
  }
}

/**
 * Return whether a piece may be heard while it is made: the end of a loop rings into its beginning, and models that take
 * a recording send their music when it is whole.
 *
 * @param {Record<string, unknown>} request
 */
export function isStreamed({ model = "composer", loop, form, format = "wav", audio, melody }) {
  return model === "composer" && !loop && form !== "loop" && format === "wav" && !audio && !melody;
}

/**
 * @param {Float32Array} samples
 * @param {number} from
 * @param {number} to
 * @param {boolean} isIn
 */
function fade(samples, from, to, isIn) {
  for (let at = from; at < to; at += 1) {
    const share = (at - from) / (to - from);
    samples[at] = (samples[at] ?? 0) * (isIn ? share : 1 - share);
  }
}
