/** What opens at a chord or a section of the ruler: another chord; earlier, later, again, left out, so many bars. */

import { button, element, icon } from "./dom.js";
import { chordOf, triadsOf } from "./harmony.js";
import { closePopover, openPopover, placeAgain } from "./popover.js";
import { capital, quoted, signed } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").Problem} Problem
 * @typedef {import("./types.js").Written} Written
 * @typedef {import("./types.js").WrittenChord} WrittenChord
 * @typedef {import("./score_edits.js").ScoreEdits} ScoreEdits
 * @typedef {import("./score_edits.js").SectionPlan} SectionPlan
 */

const MOST_BARS = 200;
const MOST_CHORDS = 24;

/**
 * Open the choice of another chord.
 *
 * @param {HTMLElement} opener
 * @param {Take} take
 * @param {WrittenChord[]} chords the same one, in bars that follow each other
 * @param {ScoreEdits} edits
 */
export function openChord(opener, take, chords, edits) {
  const [first] = chords;
  if (!first || !take.written) return;
  const title = `Chord of ${barsOf(first.bar, chords.at(-1)?.bar ?? first.bar)}`;
  const sending = new Sending(opener);
  const choose = (/** @type {string} */ name) => sending.run(() => edits.setChord(take, chords, name));
  const box = element("input", {
    attributes: { id: "chord", value: signed(first.name), maxlength: 16, autocomplete: "off", spellcheck: "false", required: true },
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    choose(chordOf(box.value));
  };
  openPopover(opener, title, [
    element("h3", {}, title),
    element("p", {}, "What follows the chords is written anew; all else stays."),
    element(
      "form",
      { class: "choice", on: { submit } },
      element("label", { class: "sr", attributes: { for: "chord" } }, "Chord"),
      box,
      element("button", { class: "plain strong", attributes: { type: "submit" } }, "Make it"),
    ),
    sending.note,
    ...suggestions(take.written, first.name).map(([kind, names]) =>
      element("div", { class: "others", attributes: { role: "group", "aria-label": kind } },
        element("h4", {}, kind),
        ...names.map((name) => button("chip", signed(name), () => choose(name)))),
    ),
  ]); // prettier-ignore
  box.select();
}

/**
 * Open what can be done with a section.
 *
 * @param {HTMLElement} opener
 * @param {Take} take
 * @param {number} at
 * @param {ScoreEdits} edits
 */
export function openSection(opener, take, at, edits) {
  const { written } = take;
  if (!written) return;
  const plan = planOf(written);
  const section = plan[at];
  if (!section) return;
  const bar = plan.slice(0, at).reduce((sum, { bars }) => sum + bars, 1);
  const title = `${capital(section.name)}, ${barsOf(bar, bar + section.bars - 1)}`;
  const sending = new Sending(opener);
  const send = (/** @type {SectionPlan[]} */ sections) =>
    sending.run(() => edits.setSections(take, sections, { before: inOrder(plan), after: inOrder(sections) }));
  const without = plan.filter((_, place) => place !== at);
  const move = (/** @type {number} */ to) => send([...without.slice(0, to), section, ...without.slice(to)]);
  const act = (/** @type {string} */ sign, /** @type {string} */ word, /** @type {() => void} */ press, isOff = false) =>
    button("", [icon(sign), word], press, { disabled: isOff });
  const box = element("input", {
    attributes: { id: "section-bars", type: "number", min: 1, max: MOST_BARS, value: section.bars, required: true },
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    send(plan.map((one, place) => (place === at ? { ...one, bars: Number(box.value) } : one)));
  };
  openPopover(opener, title, [
    element("h3", {}, title),
    element(
      "div",
      { class: "menu" },
      act("left", "Earlier", () => move(at - 1), at === 0),
      act("right", "Later", () => move(at + 1), at === plan.length - 1),
      act("loop", "Play it twice", () => send([...plan.slice(0, at), section, ...plan.slice(at)])),
      act("close", "Leave it out", () => send(without), plan.length === 1),
    ),
    element(
      "form",
      { class: "choice", on: { submit } },
      element("label", { attributes: { for: "section-bars" } }, "Bars"),
      box,
      element("button", { class: "plain strong", attributes: { type: "submit" } }, "Make it"),
    ),
    sending.note,
    chordsOf(opener, take, [bar, bar + section.bars], edits),
  ]);
}

/** An edit on its way, in an open popover: closes it, or says below what cannot be. */
class Sending {
  #opener;
  note = element("p", { class: "error", attributes: { role: "alert", hidden: true } });

  /** @param {HTMLElement} opener */
  constructor(opener) {
    this.#opener = opener;
  }

  /** @param {() => Promise<Problem | null>} send */
  async run(send) {
    const popover = this.note.closest(".pop");
    if (popover?.getAttribute("aria-busy") === "true") return;
    popover?.setAttribute("aria-busy", "true");
    const problem = await send();
    popover?.setAttribute("aria-busy", "false");
    if (!problem) return closePopover();
    this.note.hidden = false;
    const words = quoted(`${capital(problem.title)}. ${problem.advice}`.trim());
    this.note.replaceChildren(icon("warn"), element("span", {}, words));
    placeAgain(this.#opener);
  }
}

/**
 * The chords of a section, for those too narrow to be pressed in the ruler.
 *
 * @param {HTMLElement} opener
 * @param {Take} take
 * @param {[number, number]} bars the first, and the one after the last
 * @param {ScoreEdits} edits
 */
function chordsOf(opener, take, [from, to], edits) {
  const chords = (take.written?.chords ?? []).filter(({ bar }) => from <= bar && bar < to).slice(0, MOST_CHORDS);
  if (!chords.length) return null;
  return element(
    "div",
    { class: "others", attributes: { role: "group", "aria-label": "Chords" } },
    element("h4", {}, "Chords"),
    ...chords.map((chord) =>
      button("chip", signed(chord.name), () => openChord(opener, take, [chord], edits), {
        "aria-label": `${signed(chord.name)}, bar ${chord.bar}`,
      }),
    ),
  );
}

/**
 * Return chords to choose from: those of the key, and the piece's own.
 *
 * @param {Written} written
 * @param {string} now
 * @returns {[string, string[]][]}
 */
function suggestions({ key, chords }, now) {
  const own = [...new Set(chords.map(({ name }) => name))].filter((name) => name !== now).slice(0, 8);
  const inKey = triadsOf(key ?? "").filter((name) => name !== now && !own.includes(name));
  /** @type {[string, string[]][]} */
  const groups = [["In this piece", own], [`In ${signed(key ?? "")}`, inKey]]; // prettier-ignore
  return groups.filter(([, names]) => names.length);
}

/**
 * Return the sections with their bars.
 *
 * @param {Written} written
 * @returns {SectionPlan[]}
 */
function planOf({ sections, barStarts }) {
  return sections.map(({ name, start, end }) => ({
    name,
    bars: barStarts.filter((bar) => start - 0.01 <= bar && bar < end - 0.01).length,
  }));
}

/** @param {SectionPlan[]} plan */
function inOrder(plan) {
  return plan.map(({ name, bars }) => `${capital(name)} ${bars}`).join(", ");
}

/** @param {number} first @param {number} last */
function barsOf(first, last) {
  return first === last ? `bar ${first}` : `bars ${first} to ${last}`;
}
