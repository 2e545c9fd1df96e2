/** Facts of a piece, from the job that made it or from its entry in the library. */

import { titleOf } from "./words.js";

/**
 * @typedef {import("./types.js").Facts} Facts
 * @typedef {import("./types.js").Job} Job
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("../js/src/types.js").LicenceTerms} LicenceTerms
 */

/** The rate of a file of which nothing else is known. */
export const USUAL_SAMPLE_RATE = 44_100;

/**
 * @param {Job} job one that has succeeded and whose file is kept
 * @returns {Facts}
 */
export function factsOf(job) {
  if (!job.result) throw new Error(`job ${job.id} has no result`);
  /** @type {Record<string, any>} */
  const { title, seed, settings = {}, timeline = {} } = job.metadata;
  const loop = job.result.loop_points?.[0];
  return {
    title: typeof title === "string" ? title : titleOf(job.prompt),
    key: settings.key ?? null,
    tempoBpm: settings.tempo_bpm ?? null,
    meter: settings.meter ?? null,
    bars: settings.bars ?? null,
    isLoop: loop !== undefined,
    seed: typeof seed === "number" ? seed : null,
    duration: job.result.duration,
    loudnessLufs: settings.loudness_lufs ?? null,
    generateSeconds: job.timings.generate_seconds,
    sections: timeline.sections ?? [],
    loopFrames: loop ? { start: loop.start, end: loop.end + 1 } : null,
    sampleRate: job.result.sample_rate,
    licence: licenceOf(job.result, job.result.licence),
  };
}

/**
 * Return what is known of the form of a take: as it was made, or before that as it is written.
 *
 * @param {import("./types.js").Take | undefined} take
 * @returns {import("./types.js").Shape | null}
 */
export function shapeOf(take) {
  return take?.facts ?? take?.written ?? null;
}

/**
 * Return whether the composer makes a take; false for a sound that is only in this page.
 *
 * @param {import("./types.js").Take | undefined} take
 */
export function isComposed(take) {
  return take !== undefined && !take.isLocal && (take.request.model ?? "composer") === "composer";
}

/**
 * @param {Track} track
 * @returns {Facts}
 */
export function factsOfTrack(track) {
  /** @type {Record<string, any>} */
  const asked = track.request;
  return {
    title: track.title ?? titleOf(track.prompt),
    key: asked.key ?? null,
    tempoBpm: asked.tempo_bpm ?? null,
    meter: asked.meter ?? null,
    bars: asked.bars ?? null,
    isLoop: Boolean(asked.loop),
    seed: track.seed,
    duration: track.duration,
    loudnessLufs: asked.loudness_lufs ?? null,
    generateSeconds: null,
    sections: [],
    loopFrames: null,
    sampleRate: USUAL_SAMPLE_RATE,
    licence: licenceOf(track, track.licence ?? "Unknown licence"),
  };
}

/**
 * @param {LicenceTerms} terms
 * @param {string} text
 * @returns {import("./types.js").Licence}
 */
function licenceOf(terms, text) {
  return { text, commercialUse: terms.commercial_use, terms: terms.licence_terms, attribution: terms.attribution };
}
