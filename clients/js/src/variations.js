/** Variations of a track: the same request with other seeds, with a change in words and fields, or with an edited score. */

import { trackPath } from "./address.js";
import { Call } from "./deadline.js";
import { Exchange } from "./http.js";
import { runSubmission } from "./jobs.js";
import { newKey, requestFields } from "./request_body.js";

/**
 * Return the request for variations of a track.
 *
 * @param {string} id
 * @param {number | string | import("./types.js").Change} wanted their number, or what to change
 * @param {Record<string, unknown>} [more] other fields of the body
 * @returns {Promise<import("./http.js").Send>}
 */
export async function buildVariation(id, wanted, more = {}) {
  const given = typeof wanted === "number" ? { n: wanted } : typeof wanted === "string" ? { prompt: wanted } : wanted;
  const { prompt, ...fields } = { prompt: undefined, ...given };
  const body = await requestFields(prompt ?? "", { ...fields, ...more });
  if (prompt === undefined) delete body["prompt"];
  return { method: "POST", path: `${trackPath(id)}/variations`, body, key: newKey(), wants: ["jobs"] };
}

/**
 * Submit one variation and return its job once it has succeeded; cancel it if anything stops the wait.
 *
 * @param {Exchange} exchange
 * @param {string} id
 * @param {string | import("./types.js").Change} change
 * @param {Call} call
 * @param {(job: import("./types.js").Job) => void} [progress]
 */
export async function runVariation(exchange, id, change, call, progress) {
  const variation = await buildVariation(id, change);
  const { answer, ...made } = await runSubmission(exchange, variation, ({ jobs }) => jobs[0].id, call, progress);
  return { ...made, understood: answer.change };
}

/**
 * Return the request for an edit of a track's score.
 *
 * @param {string} id
 * @param {import("./types.js").ScoreEdits} edits
 * @param {boolean} [stream]
 * @returns {import("./http.js").Send}
 */
export function buildScoreEdit(id, { sections, ...edits }, stream) {
  const named = sections?.map((one) => (typeof one === "string" ? one : `${one.name}=${one.bars}`));
  const path = `${trackPath(id)}/score-edits`;
  return { method: "POST", path, query: { stream }, body: { ...edits, sections: named }, key: newKey(), wants: ["job"] };
}
