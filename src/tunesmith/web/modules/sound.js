/** Sounds: the files of the takes, decoded, with what is drawn and matched of them. */

import { DeadlineExceeded, ServerBusy, ServerUnreachable, TokenRefused } from "../js/src/index.js";
import { decoded } from "./decoding.js";
import { envelopeOf } from "./envelope.js";
import { loudnessOf } from "./loudness.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store, takeOf } from "./store.js";

/** @typedef {import("./types.js").Job} Job */

/** A decoded file. */
class Sound {
  buffer;
  loudnessLufs;
  /** @type {import("./envelope.js").Envelope | undefined} */
  #envelope;

  /**
   * @param {AudioBuffer} buffer
   * @param {number} loudnessLufs
   */
  constructor(buffer, loudnessLufs) {
    this.buffer = buffer;
    this.loudnessLufs = loudnessLufs;
  }

  /** What is drawn of it, measured when it is first drawn: it sounds before. */
  get envelope() {
    return (this.#envelope ??= envelopeOf(this.buffer));
  }
}

/** Loads and holds the sounds of the takes. */
export class Sounds {
  #store;
  #server;
  /** @type {Map<string, Sound>} */
  #sounds = new Map();
  /** @type {Map<string, Blob>} */
  #files = new Map();
  /** @type {Map<string, Promise<void>>} */
  #loading = new Map();

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
    store.watch(
      (state) => [state.takes, state.aside],
      ({ takes, aside }) => this.#forget(new Set([...takes, ...(aside?.takes ?? [])].map((take) => take.id))),
    );
  }

  /**
   * The sound of a take, undefined until it has arrived.
   *
   * @param {string | null} id
   */
  of(id) {
    return id === null ? undefined : this.#sounds.get(id);
  }

  /**
   * Hold the file of a take that is only in this page.
   *
   * @param {string} id
   * @param {Blob} file
   */
  hold(id, file) {
    this.#files.set(id, file);
  }

  /**
   * The file of a take that is only in this page.
   *
   * @param {string} id
   */
  fileOf(id) {
    return this.#files.get(id);
  }

  /**
   * Load the sound of a finished take; nothing if it is there or on its way already.
   *
   * @param {string} id
   * @param {Job} [ended] its job, if it has just ended
   * @returns {Promise<void>}
   */
  load(id, ended) {
    const take = takeOf(this.#store.state, id);
    if (!take?.facts || this.#sounds.has(id)) return Promise.resolve();
    const loading =
      this.#loading.get(id) ?? this.#load(take, take.facts, ended).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  /**
   * @param {import("./types.js").Take} take
   * @param {import("./types.js").Facts} facts
   * @param {Job} [ended]
   */
  async #load(take, { sampleRate, loudnessLufs }, ended) {
    const { id } = take;
    try {
      const own = this.#files.get(id);
      const file = own
        ? new Uint8Array(await own.arrayBuffer())
        : await this.#server.ask((client) => fetched(client, take, ended));
      const sound = await soundOf(file, sampleRate, loudnessLufs);
      // Gone while it was on its way.
      if (!takeOf(this.#store.state, id)) return;
      this.#sounds.set(id, sound);
      this.#store.change({ heard: [...this.#store.state.heard, id] });
    } catch (error) {
      // It is there, and is loaded when the server lets it go.
      if (isPassing(error)) return;
      this.#store.changeTake(id, { state: "failed", problem: problemOf(error) });
    }
  }

  /** @param {Set<string>} kept */
  #forget(kept) {
    for (const held of [this.#sounds, this.#files]) for (const id of held.keys()) if (!kept.has(id)) held.delete(id);
  }
}

/**
 * @param {import("../js/src/index.js").Tunesmith} client
 * @param {import("./types.js").Take} take
 * @param {Job} [ended]
 */
function fetched(client, { track, job }, ended) {
  return track ? client.trackFile(track) : client.audio(ended ?? job ?? "");
}

/**
 * @param {Uint8Array} file
 * @param {number} sampleRate
 * @param {number | null} [loudnessLufs] as its maker says; measured where it is unknown, which delays the sound
 * @returns {Promise<Sound>}
 */
async function soundOf(file, sampleRate, loudnessLufs = null) {
  const buffer = await decoded(file, sampleRate);
  return new Sound(buffer, loudnessLufs ?? (await loudnessOf(buffer)));
}

/**
 * Return whether an error says nothing about the sound, but that the server cannot be asked now.
 *
 * @param {unknown} error
 */
function isPassing(error) {
  const kinds = [ServerUnreachable, DeadlineExceeded, ServerBusy, TokenRefused];
  return kinds.some((kind) => error instanceof kind);
}

/** @param {unknown} error */
function problemOf(error) {
  if (error instanceof DOMException) {
    return { title: "The browser cannot play this file", advice: "Download it and open it in another program." };
  }
  return inWords(error);
}
