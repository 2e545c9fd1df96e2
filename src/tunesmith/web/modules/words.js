/** Values in words: times, keys, sizes, names. */

/**
 * Return seconds as m:ss.
 *
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * Return seconds as m:ss.t.
 *
 * @param {number} seconds
 */
export function tenths(seconds) {
  const whole = Math.floor(seconds * 10 + 1e-6);
  return `${clock(whole / 10)}.${whole % 10}`;
}

/**
 * Return a key with the signs of music: "C# minor" as "C♯ minor".
 *
 * @param {string} key
 */
export function keyName(key) {
  return key.replace(/^([A-G])#/, "$1♯").replace(/^([A-G])b/, "$1♭");
}

/**
 * Return the name of a chord or a key with the signs of music, its bass included: "Bb/Db" as "B♭/D♭".
 *
 * @param {string} name
 */
export function signed(name) {
  return keyName(name).replace(/\/([A-G])#/, "/$1♯").replace(/\/([A-G])b/, "/$1♭");
}

/**
 * Return a text with its first letter in upper case.
 *
 * @param {string} text
 */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Return an identifier such as "electric_piano" as words.
 *
 * @param {string} name
 */
export function named(name) {
  return capital(name.replaceAll("_", " "));
}

/**
 * Return bytes as MB or GB.
 *
 * @param {number} bytes
 */
export function size(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}

/**
 * Return bytes as MB with a decimal.
 *
 * @param {number} bytes
 */
export function megabytes(bytes) {
  return `${Math.max(0.1, bytes / 1e6).toFixed(1)} MB`;
}

/**
 * Return a number with its noun: "1 take", "3 takes".
 *
 * @param {number} number
 * @param {string} noun
 */
export function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Return a text with typographic quotes.
 *
 * @param {string} text
 */
export function quoted(text) {
  return text.replace(/(^|\s)'/g, "$1‘").replaceAll("'", "’");
}

/**
 * Return the title of a piece from its prompt: the words before the first comma, or before what it is made with.
 *
 * @param {string} prompt
 */
export function titleOf(prompt) {
  const words =
    prompt
      .split(/[,;.\n]| with /)[0]
      ?.trim()
      .split(/\s+/)
      .slice(0, 7) ?? [];
  return words.map(capital).join(" ") || "Untitled";
}
