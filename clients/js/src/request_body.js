/** Request bodies: a request for music as JSON, with its recordings. */

// A call takes only so many arguments; the size limits those of String.fromCharCode.
const CHUNK_BYTES = 0x8000;

/**
 * Return the body of a request, without fields that are undefined or null. Recordings become base64.
 *
 * @param {string} prompt
 * @param {import("./types.js").GenerationFields} given
 * @returns {Promise<Record<string, unknown>>}
 */
export async function requestFields(prompt, given) {
  /** @type {Record<string, unknown>} */
  const fields = { prompt };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && value !== null) fields[name] = await plain(value);
  }
  return fields;
}

/**
 * Return a new idempotency key of 32 hexadecimal digits.
 */
export function newKey() {
  const numbers = new Uint32Array(4);
  if (globalThis.crypto) globalThis.crypto.getRandomValues(numbers);
  // Pages without TLS and old versions of Node have no crypto. A key must be unique, but need not be secret.
  else numbers.forEach((_, at) => (numbers[at] = Math.random() * 2 ** 32));
  return Array.from(numbers, (number) => number.toString(16).padStart(8, "0")).join("");
}

/** @param {unknown} value */
async function plain(value) {
  if (value instanceof Blob) return base64(new Uint8Array(await value.arrayBuffer()));
  if (value instanceof ArrayBuffer) return base64(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) return base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  return value;
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  const texts = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    texts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES)));
  }
  return btoa(texts.join(""));
}
