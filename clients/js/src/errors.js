/**
 * Every error that this package throws on purpose. The tree:
 *
 *     TunesmithError
 *     ├── InvalidRequest      the request cannot be sent: has field
 *     ├── ApiError            the server refused: has status, kind and field
 *     │   ├── TokenRefused    the token is missing, wrong, or of too narrow a scope (401, 403)
 *     │   ├── NotFound        there is no such job, track or model (404)
 *     │   └── ServerBusy      too many requests, or the queue is full (429, 503): has retryAfter
 *     ├── GenerationFailed    the job failed or was cancelled: has kind
 *     ├── ServerUnreachable   no response came from the server
 *     └── DeadlineExceeded    the call took longer than its deadline
 *
 * If an AbortSignal aborts a call, the call throws the signal's reason, as fetch does.
 */

/** The root of the tree; `message` is one line to show to users. */
export class TunesmithError extends Error {
  /** @override */
  get name() {
    return this.constructor.name;
  }
}

/** The request cannot be sent; `field` is its invalid field. */
export class InvalidRequest extends TunesmithError {
  /**
   * @param {string} field
   * @param {string} problem
   */
  constructor(field, problem) {
    super(`${field}: ${problem}`);
    this.field = field;
  }
}

/**
 * @typedef {object} Refusal
 * @property {number} status the HTTP status code
 * @property {string} [kind] the error's name on the server
 * @property {string} [field] the invalid field of the request
 * @property {number} [retryAfter] seconds after which a retry may succeed
 */

/** The server refused the request. */
export class ApiError extends TunesmithError {
  /**
   * @param {string} message
   * @param {Refusal} refusal
   */
  constructor(message, { status, kind = "", field }) {
    super(message);
    this.status = status;
    this.kind = kind;
    this.field = field;
  }
}

/** The token is missing, wrong, or of too narrow a scope. */
export class TokenRefused extends ApiError {}

/** There is no such job, track or model on the server. */
export class NotFound extends ApiError {}

/** Too many requests, or the queue is full; `retryAfter` is in seconds, if the server states it. */
export class ServerBusy extends ApiError {
  /**
   * @param {string} message
   * @param {Refusal} refusal
   */
  constructor(message, refusal) {
    super(message, refusal);
    this.retryAfter = refusal.retryAfter;
  }
}

/** The job failed or was cancelled; `kind` is the error's name on the server. */
export class GenerationFailed extends TunesmithError {
  /**
   * @param {string} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** No response came from the server. */
export class ServerUnreachable extends TunesmithError {}

/** The call took longer than its deadline. */
export class DeadlineExceeded extends TunesmithError {}

const KINDS = new Map([
  [401, TokenRefused],
  [403, TokenRefused],
  [404, NotFound],
  [429, ServerBusy],
  [503, ServerBusy],
]);

/**
 * Return the error for a response of a Tunesmith server.
 *
 * @param {number} status
 * @param {string} text the body
 * @param {number} [retryAfter] seconds
 */
export function errorOf(status, text, retryAfter) {
  const error = parsed(text)?.error;
  // A proxy in between may respond with plain text or HTML.
  const about = typeof error === "object" && error !== null ? error : { message: error ?? text.slice(0, 200) };
  const Kind = KINDS.get(status) ?? ApiError;
  const message = String(about.message || `the server answered ${status}`);
  return new Kind(message, { status, kind: about.type, field: about.field, retryAfter });
}

/**
 * Parse a text as a JSON object, empty if there is no text; throws ApiError otherwise, or if it lacks a field.
 *
 * @param {string} text
 * @param {number} status the status of the response
 * @param {string[]} fields
 * @returns {any}
 */
export function documentOf(text, status, fields = []) {
  const document = text ? parsed(text) : {};
  const isOne = typeof document === "object" && document !== null && fields.every((field) => field in document);
  if (!isOne) throw new ApiError("not a response of a Tunesmith server", { status });
  return document;
}

/**
 * Parse a text as JSON; return undefined if it is not JSON.
 *
 * @param {string} text
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
