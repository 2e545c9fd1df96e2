/** The address of a server and the token for it, checked before the first call. */

import { InvalidRequest } from "./errors.js";

export const DEFAULT_URL = "http://127.0.0.1:8765";

/**
 * Return the address of a server without a slash at its end; throws InvalidRequest.
 *
 * @param {string} baseUrl
 */
export function checkedUrl(baseUrl) {
  // The URL class alone would also accept an address without slashes.
  const url = /^https?:\/\/[^/?#]/i.test(baseUrl) && urlOf(baseUrl);
  if (!url) {
    const got = JSON.stringify(baseUrl).slice(0, 200);
    throw new InvalidRequest("baseUrl", `must be a URL such as ${DEFAULT_URL}, got ${got}`);
  }
  if (url.username || url.password) throw new InvalidRequest("baseUrl", "must not contain a user or password");
  if (/[?#]/.test(baseUrl)) throw new InvalidRequest("baseUrl", "must have no query or fragment");
  return baseUrl.replace(/\/+$/, "");
}

/** @param {string} text */
function urlOf(text) {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/**
 * Return a token as it is; throws InvalidRequest.
 *
 * @param {string} token
 */
export function checkedToken(token) {
  // fetch would reject it, too, but quote the secret in the error.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new InvalidRequest("token", "must be printable characters without spaces");
  return token;
}

/**
 * Return a variable of the environment, undefined if it is not set.
 *
 * @param {string} name
 */
export function fromEnvironment(name) {
  // Browsers have no process.
  const { process } = /** @type {{process?: {env?: Record<string, string>}}} */ (globalThis);
  return process?.env?.[name] || undefined;
}

/**
 * Return the path of a track on a server.
 *
 * @param {string} id
 */
export function trackPath(id) {
  return `/api/tracks/${encodeURIComponent(id)}`;
}
