/** Notes of a Standard MIDI File (type 0 or 1), with times in seconds: https://midi.org/standard-midi-files. */

/**
 * @typedef {import("./types.js").Part} Part
 * @typedef {import("./types.js").Note} Note
 *
 * @typedef {object} Event a channel message
 * @property {number} tick
 * @property {number} kind the status byte
 * @property {number} first the first data byte
 * @property {number} second
 */

const DRUM_CHANNEL = 9;
const NOTE_OFF = 0x80;
const NOTE_ON = 0x90;
const TRACK_NAME = 0x03;
const SET_TEMPO = 0x51;
const DEFAULT_TEMPO = 500_000;

/**
 * Return the parts that have notes.
 *
 * @param {Uint8Array} file
 * @returns {Part[]}
 */
export function notesOf(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const ticksPerBeat = view.getUint16(12);
  /** @type {[number, number][]} ticks with microseconds a beat */
  const tempos = [];
  const tracks = [...chunks(view)].map((chunk) => readTrack(chunk, tempos));
  const secondsAt = clockOf(tempos, ticksPerBeat);
  return tracks.map(({ name, events }) => partOf(name, events, secondsAt)).filter((part) => part.notes.length);
}

/** @param {DataView} view */
function* chunks(view) {
  for (let at = 14; at + 8 <= view.byteLength; at += 8 + view.getUint32(at + 4)) {
    yield new Uint8Array(view.buffer, view.byteOffset + at + 8, view.getUint32(at + 4));
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {[number, number][]} tempos takes the tempos of the track
 */
function readTrack(bytes, tempos) {
  let at = 0;
  let tick = 0;
  let status = 0;
  let name = "";
  /** @type {Event[]} */
  const events = [];
  const byte = () => bytes[at++] ?? 0;
  const number = () => {
    let value = 0;
    for (let part = 0x80; part & 0x80; value = (value << 7) | (part & 0x7f)) part = byte();
    return value;
  };
  while (at < bytes.length) {
    tick += number();
    // Without a status byte the one before goes on.
    if ((bytes[at] ?? 0) & 0x80) status = byte();
    if (status >= 0xf0) {
      const kind = status === 0xff ? byte() : 0;
      const length = number();
      const content = bytes.subarray(at, (at += length));
      if (kind === TRACK_NAME) name = new TextDecoder().decode(content);
      if (kind === SET_TEMPO) tempos.push([tick, content.reduce((sum, part) => sum * 256 + part, 0)]);
    } else {
      const isShort = (status & 0xe0) === 0xc0;
      events.push({ tick, kind: status, first: byte(), second: isShort ? 0 : byte() });
    }
  }
  return { name, events };
}

/**
 * Return the function from ticks to seconds.
 *
 * @param {[number, number][]} tempos
 * @param {number} ticksPerBeat
 */
function clockOf(tempos, ticksPerBeat) {
  const sorted = [...tempos].sort((one, other) => one[0] - other[0]);
  /** @param {number} tick */
  return (tick) => {
    let seconds = 0;
    let from = 0;
    let tempo = DEFAULT_TEMPO;
    for (const [start, next] of sorted) {
      if (start >= tick) break;
      seconds += ((start - from) * tempo) / ticksPerBeat / 1e6;
      [from, tempo] = [start, next];
    }
    return seconds + ((tick - from) * tempo) / ticksPerBeat / 1e6;
  };
}

/**
 * @param {string} name
 * @param {Event[]} events
 * @param {(tick: number) => number} secondsAt
 * @returns {Part}
 */
function partOf(name, events, secondsAt) {
  /** @type {Map<number, {start: number, velocity: number}>} */
  const sounding = new Map();
  /** @type {Note[]} */
  const notes = [];
  for (const { tick, kind, first: pitch, second: velocity } of events) {
    const message = kind & 0xf0;
    if (message !== NOTE_ON && message !== NOTE_OFF) continue;
    const begun = sounding.get(pitch);
    const now = secondsAt(tick);
    if (begun) notes.push({ start: begun.start, length: now - begun.start, pitch, velocity: begun.velocity });
    sounding.delete(pitch);
    // A note that starts at velocity 0 is the end of one.
    if (message === NOTE_ON && velocity) sounding.set(pitch, { start: now, velocity });
  }
  const isDrums = events.some(({ kind }) => (kind & 0x0f) === DRUM_CHANNEL);
  return { name, isDrums, notes };
}
