/** The waveform: peak and RMS envelope, in the colours of what was heard or of what is to come. */

import { inks, surfaceOf } from "./canvas.js";

const STEP = 1.5;
/** Below the ruler's line. */
const TOP = 4;
/** RMS is drawn a little larger, to be seen inside the peaks. */
const CORE_SCALE = 1.25;

/**
 * @typedef {object} Stretch a part of an envelope in a box, in pixels
 * @property {number} width
 * @property {number} height
 * @property {number} from
 * @property {number} to
 * @property {number} [scale]
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./envelope.js").Envelope | undefined} envelope undefined: nothing has arrived, dots are drawn
 * @param {{time: "past" | "future", bars: number, share: number}} how whether it was heard; the bars are for the lines of the
 *   grid; how much of it has arrived, 0 to 1
 */
export function drawWave(canvas, envelope, { time, bars, share }) {
  const surface = surfaceOf(canvas);
  if (!surface) return;
  const { pen, width } = surface;
  const height = surface.height - TOP;
  const colours = inks("grid", "wave", "wave-core", "wave-past", "wave-past-core");
  const isPast = time === "past";
  pen.fillStyle = colours.grid;
  for (let bar = 1; bar < bars; bar += 1) pen.fillRect(Math.round((bar / bars) * width), 8, 1, height);
  pen.translate(0, TOP);
  const end = envelope ? share * width : 0;
  pen.fillStyle = colours.wave;
  if (end < width - 1) for (let x = Math.ceil(end / 6) * 6; x < width; x += 6) pen.fillRect(x, height / 2 - 1, 2, 2);
  if (!envelope) return;
  const whole = { width, height, from: 0, to: end };
  pen.fillStyle = isPast ? colours["wave-past"] : colours.wave;
  fillEnvelope(pen, envelope.peaks, whole);
  pen.fillStyle = isPast ? colours["wave-past-core"] : colours["wave-core"];
  fillEnvelope(pen, envelope.rms, { ...whole, scale: CORE_SCALE });
}

/**
 * Fill an envelope mirrored at the middle: in each step of pixels its highest value.
 *
 * @param {CanvasRenderingContext2D} pen
 * @param {Float32Array} values
 * @param {Stretch} stretch
 */
export function fillEnvelope(pen, values, { width, height, from, to, scale = 1 }) {
  if (to <= from) return;
  const middle = height / 2;
  /** @type {[number, number][]} */
  const crest = [];
  for (let x = from; x <= to; x += STEP) {
    const first = Math.floor((x / width) * values.length);
    const last = Math.max(first + 1, Math.floor(((x + STEP) / width) * values.length));
    crest.push([x, Math.max(0.6, Math.min(1, Math.max(0, ...values.subarray(first, last)) * scale) * (middle - 1))]);
  }
  pen.beginPath();
  for (const [x, y] of crest) pen.lineTo(x, middle - y);
  for (const [x, y] of crest.reverse()) pen.lineTo(x, middle + y);
  pen.fill();
}
