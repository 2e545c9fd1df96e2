/**
 * Every error this package throws on purpose. The tree:
 *
 *     TunesmithError
 *     ├── InvalidRequest      what was asked cannot be sent: has field
 *     ├── ApiError            the server refused: has status, kind and field
 *     │   ├── TokenRefused    the token is missing, wrong, or not enough (401, 403)
 *     │   ├── NotFound        there is no such job, track or model (404)
 *     │   └── ServerBusy      too many requests, or the queue is full (429, 503): has retryAfter
 *     ├── GenerationFailed    the music could not be made: has kind
 *     ├── ServerUnreachable   there is no answer from the server
 *     └── DeadlineExceeded    it took longer than it was allowed to
 *
 * Where an AbortSignal stops a call, its reason is thrown, as fetch does.
 */

/** The root of the tree; `message` is one clear line fit to show a user. */
export class TunesmithError extends Error {
  /** @override */
  get name() {
    return this.constructor.name;
  }
}

/** What was asked cannot be sent; `field` is to blame. */
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
 * @property {number} status of HTTP
 * @property {string} [kind] the error's name on the server
 * @property {string} [field] the field of the request that is to blame
 * @property {number} [retryAfter] seconds after which it may help to ask again
 */

/** The server refused. */
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

/** The token is missing, wrong, or not enough. */
export class TokenRefused extends ApiError {}

/** There is no such job, track or model on the server. */
export class NotFound extends ApiError {}

/** Too many requests, or the queue is full; `retryAfter` seconds if the server says. */
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

/** The music could not be made; `kind` is the error's name on the server. */
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

/** There is no answer from the server. */
export class ServerUnreachable extends TunesmithError {}

/** It took longer than it was allowed to. */
export class DeadlineExceeded extends TunesmithError {}

const KINDS = new Map([
  [401, TokenRefused],
  [403, TokenRefused],
  [404, NotFound],
  [429, ServerBusy],
  [503, ServerBusy],
]);

/**
 * Return the error that an answer of a Tunesmith server tells of.
 *
 * @param {number} status
 * @param {string} text the body
 * @param {number} [retryAfter] seconds
 */
export function errorOf(status, text, retryAfter) {
  const told = parsed(text)?.error;
  const about = typeof told === "object" && told !== null ? told : { message: told ?? text.slice(0, 200) };
  const Kind = KINDS.get(status) ?? ApiError;
  const message = String(about.message || `the server answered ${status}`);
  return new Kind(message, { status, kind: about.type, field: about.field, retryAfter });
}

/**
 * Return the JSON object that a text is, empty where there is no text, with the fields that it must have.
 *
 * @param {string} text
 * @param {number} status of the answer that it is of
 * @param {string[]} fields
 * @returns {any}
 */
export function documentOf(text, status, fields = []) {
  const document = text ? parsed(text) : {};
  const isOne = typeof document === "object" && document !== null && fields.every((field) => field in document);
  if (!isOne) throw new ApiError("the answer is none of a Tunesmith server", { status });
  return document;
}

/**
 * Return a text as JSON, or undefined where it is none.
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
