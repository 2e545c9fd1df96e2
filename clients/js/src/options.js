/**
 * Options: what the methods of the client take besides the fields of requests.
 *
 * @typedef {import("./types.js").Job} Job
 *
 * @typedef {object} Options
 * @property {string} [baseUrl] in Node defaults to TUNESMITH_URL
 * @property {string} [token] in Node defaults to TUNESMITH_TOKEN
 * @property {number} [deadline] seconds that a call may take, retries included
 * @property {typeof globalThis.fetch} [fetch]
 * @property {import("./deadline.js").Time} [time] a clock and a random generator, for tests
 *
 * @typedef {object} CallOptions
 * @property {AbortSignal} [signal] aborts the call, which then throws the signal's reason
 * @property {number} [deadline] seconds that this call may take; follow and pull have no default
 * @property {Waiting} [waiting] called before each pause, as after a 429
 *
 * @typedef {(seconds: number, problem: unknown) => void} Waiting the pause until the next attempt, and why it is needed
 *
 * @typedef {CallOptions & {progress?: (job: Job) => void}} WaitOptions
 *
 * @typedef {object} TrackQuery
 * @property {string} [search] words to look for
 * @property {string} [model]
 * @property {boolean} [starred]
 * @property {string} [tag]
 * @property {boolean} [loop] only loops
 * @property {number} [limit] the maximum number of tracks, newest first; for eachTrack the size of a page
 *
 * @typedef {object} FileChoice
 * @property {string} [format] another sound format: wav, flac, mp3, ogg or opus
 * @property {number} [intensity] 0 to 1: the composer's piece at another intensity
 * @property {string} [intensities] those of the layers, such as 0.3,0.6,1
 * @property {boolean} [mastered] stems as they are in the finished mix, to which they sum
 *
 * @typedef {object} Marks changes; a field that is left out stays as it is
 * @property {boolean} [starred]
 * @property {number} [rating] 1 to 5, or 0 for none
 * @property {string[]} [tags]
 */

export {};
