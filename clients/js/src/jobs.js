/** The flow of a job: submit it, wait for its end or follow it, cancel it if the wait stops. */

import { Call } from "./deadline.js";
import { fileChunks } from "./downloads.js";
import { ApiError, DeadlineExceeded, documentOf, GenerationFailed, ServerUnreachable } from "./errors.js";
import { Exchange } from "./http.js";
import { newKey, requestFields } from "./request_body.js";
import { events } from "./response_body.js";
import { pauseAfter } from "./retries.js";

/**
 * @typedef {import("./types.js").Job} Job
 * @typedef {import("./types.js").JobEvent} JobEvent
 * @typedef {import("./types.js").Result} Result
 * @typedef {import("./http.js").Send} Send
 * @typedef {(job: Job) => void} Progress
 */

/** How long the server holds a long poll for a job's end, without and with a progress listener. */
const WAIT_SECONDS = 20;
const LOOK_SECONDS = 0.5;
/** The pause after a long poll that the server answers too soon. */
const AGAIN_SECONDS = 0.1;
/** The deadline of a cancellation, and how long the caller waits for it after it stopped waiting for the job. */
const CANCEL_SECONDS = 5;
const CANCEL_PATIENCE_SECONDS = 1;
/** The fields of every job. */
const JOB_FIELDS = ["id", "state", "progress"];
const FINAL_STATES = new Set(["succeeded", "failed", "canceled"]);

/**
 * Return the path of a job.
 *
 * @param {string} id
 */
export function pathOf(id) {
  return `/api/jobs/${encodeURIComponent(id)}`;
}

/**
 * Return whether a job has ended and will not change.
 *
 * @param {Pick<JobEvent, "state">} job
 */
export function isFinal(job) {
  return FINAL_STATES.has(job.state);
}

/**
 * Return the request for the present state of a job.
 *
 * @param {string} id
 * @param {Record<string, unknown>} [query]
 * @returns {Send}
 */
export function statusOf(id, query) {
  return { path: pathOf(id), query, wants: JOB_FIELDS };
}

/**
 * Return the request that submits a job, with a new idempotency key.
 *
 * @param {string} prompt
 * @param {import("./types.js").GenerationFields} fields
 * @returns {Promise<Send>}
 */
export async function buildSubmission(prompt, fields) {
  const body = await requestFields(prompt, fields);
  return { method: "POST", path: "/api/jobs", body, key: newKey(), wants: JOB_FIELDS };
}

/**
 * Wait for the end of a job and return it.
 *
 * @param {Exchange} exchange
 * @param {string} id
 * @param {Call} call
 * @param {Progress} [progress]
 * @returns {Promise<Job>}
 */
export async function waitForEnd(exchange, id, call, progress) {
  const longest = progress ? LOOK_SECONDS : WAIT_SECONDS;
  for (;;) {
    // Half of the time left, so that the response comes before the deadline.
    const wait = Math.min(longest, call.left / 2);
    const until = call.time.now() + wait;
    /** @type {Job} */
    const job = await exchange.document(statusOf(id, { wait: wait.toFixed(3) }), call);
    progress?.(job);
    if (isFinal(job)) return job;
    if (call.left <= AGAIN_SECONDS) {
      const done = `${job.state} at ${Math.round(job.progress * 100)} %`;
      throw new DeadlineExceeded(`after ${call.seconds} s job ${id} is ${done}`);
    }
    if (call.time.now() < until) await call.pause(AGAIN_SECONDS);
  }
}

/**
 * Submit a job and return it once it has succeeded; cancel it if anything stops the wait.
 *
 * @param {Exchange} exchange
 * @param {string} prompt
 * @param {import("./types.js").GenerationFields} fields
 * @param {Call} call
 * @param {Progress} [progress]
 */
export async function runJob(exchange, prompt, fields, call, progress) {
  return runSubmission(exchange, await buildSubmission(prompt, fields), ({ id }) => id, call, progress);
}

/**
 * Do as `runJob` for any request that submits one job; return the server's answer to it, too.
 *
 * @param {Exchange} exchange
 * @param {Send} submission
 * @param {(answer: any) => string} idOf returns the id of the job in the server's answer
 * @param {Call} call
 * @param {Progress} [progress]
 */
export async function runSubmission(exchange, submission, idOf, call, progress) {
  call.check(`POST ${submission.path}`);
  /** @type {string | undefined} */
  let id;
  try {
    const answer = await exchange.document(submission, call);
    id = idOf(answer);
    return { ...requireSuccess(await waitForEnd(exchange, id, call, progress)), answer };
  } catch (problem) {
    // A job that the server refused does not exist, and one that failed has ended.
    const isNone = id === undefined && problem instanceof ApiError;
    if (!isNone && !(problem instanceof GenerationFailed)) await cancelJob(exchange, submission, idOf, id, call.time);
    throw problem;
  }
}

/**
 * Submit a job and yield its sound while it is made; cancel it if anything stops that, the caller included.
 *
 * @param {Exchange} exchange
 * @param {string} prompt
 * @param {import("./types.js").GenerationFields} fields
 * @param {Call} call
 * @param {Progress} [progress]
 * @returns {AsyncGenerator<Uint8Array, void, undefined>}
 */
export async function* liveChunks(exchange, prompt, fields, call, progress) {
  const submission = { ...(await buildSubmission(prompt, fields)), query: { stream: true } };
  const idOf = (/** @type {any} */ answer) => answer.id;
  call.check(`POST ${submission.path}`);
  /** @type {string | undefined} */
  let id;
  let isOver = false;
  try {
    id = idOf(await exchange.document(submission, call));
    // The sound itself says when it ends; whoever listens to the progress hears of it beside.
    if (progress) waitForEnd(exchange, id ?? "", call, progress).catch(() => undefined);
    yield* fileChunks(exchange, `${pathOf(id ?? "")}/audio?stream=true`, call);
    isOver = true;
  } catch (problem) {
    // A job that the server refused does not exist.
    isOver = id === undefined && problem instanceof ApiError;
    if (isOver || !(problem instanceof ApiError)) throw problem;
    // Without sound: the job says why.
    const job = await exchange.document(statusOf(id ?? ""), call);
    isOver = isFinal(job);
    requireSuccess(job);
    throw problem;
  } finally {
    if (!isOver) await cancelJob(exchange, submission, idOf, id, call.time);
  }
}

/**
 * Cancel a job. It may exist although no response came: the same idempotency key then leads to it.
 *
 * @param {Exchange} exchange
 * @param {Send} submission
 * @param {(answer: any) => string} idOf
 * @param {string | undefined} known
 * @param {import("./deadline.js").Time} time
 */
async function cancelJob(exchange, submission, idOf, known, time) {
  // A call of its own, because the caller's may be aborted or out of time.
  const call = new Call(CANCEL_SECONDS, undefined, time);
  const cancel = async () => {
    const id = known ?? idOf(await exchange.document(submission, call));
    await exchange.document({ method: "DELETE", path: pathOf(id) }, call);
  };
  const patience = new AbortController();
  // The caller gets the error that stopped the call, not one of the cancellation.
  const cancelling = cancel().catch(() => undefined);
  await Promise.race([cancelling, time.sleep(CANCEL_PATIENCE_SECONDS, patience.signal).catch(() => undefined)]);
  // Clears the timer, which would keep Node running.
  patience.abort();
}

/**
 * Return a job that has succeeded, with its result; throws GenerationFailed for any other.
 *
 * @param {Job} job
 * @returns {{job: Job, result: Result}}
 */
export function requireSuccess(job) {
  if (job.state === "succeeded" && job.result) return { job, result: job.result };
  const states = { canceled: "it was cancelled", succeeded: "its file is no longer kept" };
  const ended = states[/** @type {keyof typeof states} */ (job.state)] ?? `it is ${job.state}`;
  throw new GenerationFailed(job.error?.type || job.state, `job ${job.id}: ${job.error?.message || ended}`);
}

/**
 * Yield a job now and at every change until its end, which has all fields of Job; reconnect if the stream breaks.
 *
 * @param {Exchange} exchange
 * @param {string} id
 * @param {{opening: () => Call, whole: Call}} calls the deadlines of each opening and of the whole stream
 * @returns {AsyncGenerator<JobEvent & Partial<Job>, void, undefined>}
 */
export async function* followJob(exchange, id, { opening, whole }) {
  for (let breaks = 1; ; breaks += 1) {
    const answer = await exchange.open({ path: `${pathOf(id)}/events` }, opening());
    try {
      for await (const { text } of events(answer.chunks(whole))) {
        const job = documentOf(text, answer.status, JOB_FIELDS);
        breaks = 0;
        yield job;
        if (isFinal(job)) return;
      }
    } catch (problem) {
      // The job goes on without the connection; a new stream begins with its present state.
      if (!(problem instanceof ServerUnreachable)) throw problem;
    }
    await whole.pause(Math.min(whole.left, pauseAfter(breaks, undefined, whole.time.random)));
  }
}
