/** Live: music without end that its listener steers, over a WebSocket. */

import { errorOf, GenerationFailed, InvalidRequest, ServerUnreachable } from "./errors.js";

/**
 * @typedef {object} LiveSettings what a live stream plays; null leaves a setting to the model
 * @property {string} [prompt]
 * @property {string | null} [second_prompt]
 * @property {number} [blend] the share of the second prompt, 0 to 1
 * @property {Iterable<number>} [notes] MIDI numbers of the notes that are held
 * @property {boolean | null} [drums]
 * @property {number | null} [temperature]
 *
 * @typedef {LiveSettings & {model?: string, seed?: number, ahead?: number, duration?: number}} LiveFields `ahead` is the
 *   largest stock of sound at the listener in seconds, `duration` the length in seconds
 *
 * @typedef {object} LiveBlock
 * @property {number} number from 0 on
 * @property {number} change the number of the last change before the block was begun
 * @property {number} position that of its first sample
 * @property {Float32Array[]} channels
 *
 * @typedef {object} LiveOptions
 * @property {AbortSignal} [signal] ends the stream
 * @property {(message: any) => void} [message] called with every message of the server
 * @property {typeof globalThis.WebSocket} [WebSocket] where the platform has none, as Node before 22
 */

const HEADER_BYTES = 16;

/** How many blocks wait for a reader that is slow; older ones are dropped, because live music cannot wait. */
const MOST_WAITING = 50;

/** A live stream: iterate over it for its blocks, and change it meanwhile. */
export class Live {
  /** @type {WebSocket} */
  #socket;
  /** @type {LiveBlock[]} */
  #waiting = [];
  #message;
  #wake = () => {};
  /** @type {unknown} what iterating throws at the end */
  #failure;
  #isOver = false;
  /** @type {any} */
  #started;

  /** Settings as the model plays them. @type {LiveSettings} */
  settings = {};
  /** Errors, the newest last: what was refused does not end the stream. @type {Error[]} */
  problems = [];
  /** What was recorded. @type {import("./types.js").Track[]} */
  tracks = [];
  /** Why it ended; undefined while it plays. @type {string | undefined} */
  reason;
  /** How many blocks nobody took in time. */
  dropped = 0;

  /**
   * @param {WebSocket} socket
   * @param {(message: any) => void} [message]
   */
  constructor(socket, message = () => {}) {
    this.#socket = socket;
    this.#message = message;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => this.#take(data));
    // Where no connection can be opened, some platforms tell of the error only.
    for (const kind of ["close", "error"]) socket.addEventListener(kind, () => this.#end());
  }

  /** The message `started`: model, seed, sample_rate, channels, licence and more. */
  get started() {
    return this.#started;
  }

  /**
   * Change settings and keep the others. What the server refuses is added to `problems`.
   *
   * @param {LiveSettings} settings
   */
  change(settings) {
    this.#send({ type: "change", ...settings });
  }

  /**
   * Keep the last seconds as a track, which is added to `tracks`.
   *
   * @param {number} [seconds]
   * @param {string} [format]
   */
  record(seconds = 30, format = "wav") {
    this.#send({ type: "record", seconds, format });
  }

  /** Ask for the end; the blocks that are on their way still come. */
  stop() {
    this.#send({ type: "stop" });
  }

  /** End it at once. */
  close() {
    this.#socket.close();
    this.#end();
  }

  /** Throws GenerationFailed and ServerUnreachable. @returns {AsyncGenerator<LiveBlock, void, undefined>} */
  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        const block = this.#waiting.shift();
        if (block) yield block;
        else if (this.#isOver) break;
        else await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      }
      if (this.#failure) throw this.#failure;
    } finally {
      this.close();
    }
  }

  /**
   * Open a stream: send the first message and wait until it plays.
   *
   * @param {LiveSettings & Record<string, unknown>} start the first message
   * @returns {Promise<this>}
   */
  async begin(start) {
    await new Promise((resolve) => {
      for (const kind of ["open", "close", "error"]) this.#socket.addEventListener(kind, resolve);
    });
    this.#send(start);
    while (!this.#started && !this.#isOver) await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    if (!this.#started) throw this.#failure ?? new ServerUnreachable(`${this.#socket.url}: no live stream`);
    return this;
  }

  /**
   * JSON has no sets of notes.
   *
   * @param {LiveSettings & Record<string, unknown>} message
   */
  #send({ notes, ...message }) {
    const text = JSON.stringify({ ...message, ...(notes && { notes: [...notes] }) });
    if (this.#socket.readyState === 1) this.#socket.send(text);
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    if (typeof data === "string") this.#hear(JSON.parse(data));
    else if (this.#waiting.push(blockOf(data, this.#started.channels)) > MOST_WAITING) {
      this.#waiting.shift();
      this.dropped += 1;
    }
    this.#wake();
  }

  /** @param {any} message */
  #hear(message) {
    if (message.type === "started") this.#started = message;
    if (message.settings) this.settings = message.settings;
    if (message.type === "recorded") this.tracks.push(message.track);
    if (message.type === "error") this.problems.push(errorOf(message.status ?? 422, JSON.stringify(message)));
    if (message.type === "ended") {
      this.reason = message.reason;
      const problem = this.problems.at(-1);
      if (message.reason === "refused") this.#failure = problem;
      if (message.reason === "failed") this.#failure = new GenerationFailed("", problem?.message ?? "the live stream failed");
    }
    this.#message(message);
  }

  #end() {
    if (!this.#isOver && !this.reason) this.#failure = new ServerUnreachable(`${this.#socket.url}: the connection broke`);
    this.#isOver = true;
    this.#wake();
  }
}

/**
 * Open a live stream of a server.
 *
 * @param {string} baseUrl
 * @param {LiveSettings & Record<string, unknown>} start
 * @param {LiveOptions} options
 */
export async function openLive(baseUrl, start, { signal, message, WebSocket = globalThis.WebSocket }) {
  if (!WebSocket) throw new InvalidRequest("WebSocket", "this platform has none; give the option WebSocket, or use Node 22");
  signal?.throwIfAborted();
  const live = new Live(new WebSocket(`${baseUrl.replace(/^http/i, "ws")}/api/live`), message);
  signal?.addEventListener("abort", () => live.close());
  await live.begin({ type: "start", ...start, encoding: "float32" });
  return live;
}

/**
 * Return a block from its bytes.
 *
 * @param {ArrayBuffer} data
 * @param {number} channels
 * @returns {LiveBlock}
 */
function blockOf(data, channels) {
  const header = new DataView(data, 0, HEADER_BYTES);
  const frames = new Float32Array(data, HEADER_BYTES);
  const length = frames.length / channels;
  return {
    number: header.getUint32(0, true),
    change: header.getUint32(4, true),
    position: Number(header.getBigUint64(8, true)),
    channels: Array.from({ length: channels }, (_, channel) =>
      Float32Array.from({ length }, (_, index) => frames[index * channels + channel] ?? 0),
    ),
  };
}
