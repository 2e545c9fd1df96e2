/** Harmony: the chords of a key, and chords as people type them. */

const LETTERS = "CDEFGAB";
const NATURALS = [0, 2, 4, 5, 7, 9, 11];
/** The steps of a mode from its tonic, as shares of the major scale. */
const MODES = /** @type {Record<string, number[]>} */ ({
  major: [0, 2, 4, 5, 7, 9, 11],
  minor: [0, 2, 3, 5, 7, 8, 10],
  dorian: [0, 2, 3, 5, 7, 9, 10],
  phrygian: [0, 1, 3, 5, 7, 8, 10],
  lydian: [0, 2, 4, 6, 7, 9, 11],
  mixolydian: [0, 2, 4, 5, 7, 9, 10],
});
const TRIADS = /** @type {Record<string, string>} */ ({ "4,7": "", "3,7": "m", "3,6": "dim", "4,8": "aug" });
const SPELLINGS = /** @type {[RegExp, string][]} */ ([
  [/♭/g, "b"],
  [/♯/g, "#"],
  [/\s+/g, ""],
  [/(?<=^[A-Ga-g][b#]?)(?:min|-)/, "m"],
  [/M7|Δ7?|Maj7|ma7/, "maj7"],
  [/ø7?/, "m7b5"],
  [/°/, "dim"],
  [/\+$/, "aug"],
]);

/**
 * Return a chord as the server reads it: "a♭ min7" is Abm7.
 *
 * @param {string} typed
 */
export function chordOf(typed) {
  const plain = SPELLINGS.reduce((text, [written, read]) => text.replace(written, read), typed.trim());
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

/**
 * Return the triads of a key, spelled for it; none for a mode without seven tones.
 *
 * @param {string} key such as "G minor"
 */
export function triadsOf(key) {
  const [, letter = "", sign = "", mode = ""] = /^([A-G])([b#]?) (\w+)/.exec(key) ?? [];
  const steps = MODES[mode];
  if (!steps) return [];
  const first = LETTERS.indexOf(letter);
  const tonic = (NATURALS[first] ?? 0) + { b: -1, "#": 1, "": 0 }[/** @type {"b" | "#" | ""} */ (sign)];
  const stepAt = (/** @type {number} */ at) => (steps[at % 7] ?? 0) + 12 * Math.floor(at / 7);
  return steps.map((step, degree) => {
    const third = stepAt(degree + 2) - step;
    const fifth = stepAt(degree + 4) - step;
    return `${spelled((first + degree) % 7, tonic + step)}${TRIADS[`${third},${fifth}`] ?? ""}`;
  });
}

/**
 * @param {number} letter in the scale of C
 * @param {number} pitch in semitones from C
 */
function spelled(letter, pitch) {
  const shift = ((pitch - (NATURALS[letter] ?? 0) + 18) % 12) - 6;
  return `${LETTERS[letter]}${shift < 0 ? "b".repeat(-shift) : "#".repeat(shift)}`;
}
