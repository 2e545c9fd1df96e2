/**
 * The client of a Tunesmith server, for Node and browsers.
 *
 * @typedef {import("./client.js").Options} Options
 * @typedef {import("./client.js").CallOptions} CallOptions
 * @typedef {import("./client.js").TrackQuery} TrackQuery
 * @typedef {import("./client.js").Marks} Marks
 * @typedef {import("./documents.js").Wishes} Wishes
 * @typedef {import("./documents.js").Recording} Recording
 * @typedef {import("./documents.js").JobState} JobState
 * @typedef {import("./documents.js").JobNews} JobNews
 * @typedef {import("./documents.js").Job} Job
 * @typedef {import("./documents.js").Result} Result
 * @typedef {import("./documents.js").Track} Track
 * @typedef {import("./documents.js").Model} Model
 * @typedef {import("./documents.js").LoadedModel} LoadedModel
 * @typedef {import("./documents.js").Explanation} Explanation
 */

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
