/** Score edits: other chords, and sections in another order or length, as a take beside the one that they change. */

import { isStreamed } from "./live_sound.js";
import { beatsOfBar } from "./meter.js";
import { newTake } from "./new_take.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").Problem} Problem
 * @typedef {import("./types.js").Written} Written
 * @typedef {import("./types.js").WrittenChord} WrittenChord
 *
 * @typedef {{name: string, bars: number}} SectionPlan
 */

/** Sends edits of a take's score. */
export class ScoreEdits {
  #server;
  #made;

  /**
   * @param {Server} server
   * @param {(take: Take) => void} made called with each take that an edit has begun
   */
  constructor(server, made) {
    this.#server = server;
    this.#made = made;
  }

  /**
   * Play another chord where some are; return why it cannot be, null if it can.
   *
   * @param {Take} take
   * @param {WrittenChord[]} chords that follow each other
   * @param {string} name
   */
  setChord(take, chords, name) {
    const [first] = chords;
    if (!take.written || !first) return Promise.resolve(null);
    const change = { field: `chord of bar ${first.bar}`, before: first.name, after: name };
    return this.#send(take, { chords: barsWith(take.written, chords, name) }, change);
  }

  /**
   * Play other sections; return why they cannot be, null if they can.
   *
   * @param {Take} take
   * @param {SectionPlan[]} sections
   * @param {{before: string, after: string}} change in words
   */
  setSections(take, sections, change) {
    return this.#send(take, { sections }, { field: "sections", ...change });
  }

  /**
   * @param {Take} take
   * @param {import("../js/src/types.js").ScoreEdits} edits
   * @param {{field: string, before: string, after: string}} change
   * @returns {Promise<Problem | null>}
   */
  async #send(take, edits, change) {
    const { track } = take;
    if (!track) return null;
    try {
      const stream = isStreamed(take.request);
      const job = await this.#server.ask((client) => client.editScore(track, edits, { stream }));
      const changes = [{ ...change, because: "You wrote it into the score", source: /** @type {const} */ ("setting") }];
      const understood = { changes, not_understood: [], notes: [] };
      this.#made(newTake(job.request, { job: job.id, state: "queued", change: understood }));
      return null;
    } catch (error) {
      const { title, advice, field } = inWords(error);
      // The field is what was typed, and its name is on the box.
      return field ? { title: title.replace(/^(Score edits|Chords|Sections) (chord \d+: |cannot be made: )?/, ""), advice: "" } : { title, advice };
    }
  }
}

/**
 * Return the chords of the bars in which some are, with another in their place: a name, or names with their beats.
 *
 * @param {Written} written
 * @param {WrittenChord[]} replaced
 * @param {string} name
 * @returns {Record<number, string>}
 */
function barsWith({ chords, meter }, replaced, name) {
  const beats = beatsOfBar(meter);
  const startOf = (/** @type {WrittenChord} */ chord) => (chord.bar - 1) * beats + chord.beat - 1;
  /** @type {Record<number, string>} */
  const bars = {};
  for (const chord of replaced) {
    const last = Math.ceil((startOf(chord) + chord.beats) / beats - 1e-6);
    for (let bar = chord.bar; bar <= last; bar += 1) {
      const [from, to] = [(bar - 1) * beats, bar * beats];
      const inside = chords.filter((one) => startOf(one) < to - 1e-6 && startOf(one) + one.beats > from + 1e-6);
      const parts = inside.map((one) => ({
        name: replaced.includes(one) ? name : one.name,
        beats: Math.min(to, startOf(one) + one.beats) - Math.max(from, startOf(one)),
      }));
      const isOne = parts.every((part) => part.name === name);
      bars[bar] = isOne ? name : parts.map((part) => `${part.name}:${part.beats}`).join(" ");
    }
  }
  return bars;
}
