/** The figure of a piece: its melody as a small drawing, or its waveform where it has no notes. */

import { inks, surfaceOf } from "./canvas.js";
import { fillEnvelope } from "./wave.js";

/** How many steps of a figure a piece has. */
const STEPS = 200;

/**
 * Return a figure of the server as a part of a piece that lasts one second.
 *
 * @param {import("../js/src/types.js").Figure} figure
 * @returns {import("./types.js").Part}
 */
export function partOf(figure) {
  const notes = figure.map(([start, length, pitch]) => {
    return { start: start / STEPS, length: length / STEPS, pitch, velocity: 100 };
  });
  return { name: "melody", isDrums: false, notes };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {boolean} isStrong
 * @param {import("./types.js").Part | undefined} melody
 * @param {import("./envelope.js").Envelope | undefined} envelope
 * @param {number} duration seconds
 */
export function drawFigure(canvas, isStrong, melody, envelope, duration) {
  const surface = surfaceOf(canvas);
  if (!surface) return;
  const { pen, width, height } = surface;
  const { note, "wave-past-core": strong } = inks("note", "wave-past-core");
  pen.fillStyle = isStrong ? strong : note;
  if (!melody) {
    if (envelope) fillEnvelope(pen, envelope.peaks, { width, height, from: 0, to: width });
    return;
  }
  const pitches = melody.notes.map((one) => one.pitch);
  const low = Math.min(...pitches);
  const span = Math.max(7, Math.max(...pitches) - low);
  for (const { start, length, pitch } of melody.notes) {
    const y = (1 - (pitch - low) / span) * (height - 6) + 2;
    pen.fillRect((start / duration) * width, y, Math.max(2.5, (length / duration) * width - 0.5), 2);
  }
}
