/**
 * The client of a Tunesmith server, for Node and browsers.
 *
 * @typedef {import("./options.js").Options} Options
 * @typedef {import("./options.js").CallOptions} CallOptions
 * @typedef {import("./options.js").TrackQuery} TrackQuery
 * @typedef {import("./options.js").Marks} Marks
 * @typedef {import("./types.js").GenerationFields} GenerationFields
 * @typedef {import("./types.js").Recording} Recording
 * @typedef {import("./types.js").JobState} JobState
 * @typedef {import("./types.js").JobEvent} JobEvent
 * @typedef {import("./types.js").Job} Job
 * @typedef {import("./types.js").Result} Result
 * @typedef {import("./types.js").Track} Track
 * @typedef {import("./types.js").Model} Model
 * @typedef {import("./types.js").LoadedModel} LoadedModel
 * @typedef {import("./types.js").Explanation} Explanation
 * @typedef {import("./live.js").Live} Live
 * @typedef {import("./live.js").LiveBlock} LiveBlock
 * @typedef {import("./live.js").LiveFields} LiveFields
 * @typedef {import("./live.js").LiveSettings} LiveSettings
 */

/** @typedef {import("./types.js").Wishes} Wishes @deprecated use GenerationFields */

/** @typedef {import("./types.js").JobNews} JobNews @deprecated use JobEvent */

export { Tunesmith } from "./client.js";
export { Clip } from "./clip.js";
export {
  ApiError,
  DeadlineExceeded,
  GenerationFailed,
  InvalidRequest,
  NotFound,
  ServerBusy,
  ServerUnreachable,
  TokenRefused,
  TunesmithError,
} from "./errors.js";
