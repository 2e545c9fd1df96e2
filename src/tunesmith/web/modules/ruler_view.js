/** The ruler over the score: sections and chords on the time axis, to be pressed where they can be changed. */

import { button, byId, element } from "./dom.js";
import { isComposed, shapeOf } from "./facts.js";
import { takeOf } from "./store.js";
import { capital, signed } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").Written} Written
 * @typedef {import("./types.js").WrittenChord} WrittenChord
 *
 * @typedef {{name: string, start: number, end: number, chords: WrittenChord[]}} Held a chord as long as it is held
 */

/** Around the name of a chord. */
const MARGIN_PIXELS = 9;
const SAME_SECONDS = 0.01;
/** What is narrower cannot be pressed; the chords are in their section's menu, too. */
const PRESSED_PIXELS = 24;

/** Shows sections and chords, and lights the chord that sounds. */
export class Ruler {
  #edits;
  /** @type {{node: HTMLElement, start: number, end: number}[]} */
  #chords = [];
  /** @type {HTMLElement | undefined} */
  #lit;

  /** @param {import("./score_edits.js").ScoreEdits} edits */
  constructor(edits) {
    this.#edits = edits;
    byId("ruler").addEventListener("keydown", followKey);
  }

  /**
   * Draw it anew, as after a change of the take or the size.
   *
   * @param {import("./types.js").State} state
   */
  draw(state) {
    const take = takeOf(state);
    const shape = shapeOf(take);
    const ruler = byId("ruler");
    const duration = shape?.duration ?? 1;
    const pixels = ruler.clientWidth / duration;
    const focused = document.activeElement;
    const key = focused instanceof HTMLElement && ruler.contains(focused) ? focused.dataset.key : undefined;
    const canEdit = take?.track && take.written && isComposed(take) ? take : null;
    const sections = (take?.written ?? shape)?.sections.map((section, at) =>
      placed(this.#section(canEdit, section, at, pixels), section.start / duration, section.end / duration),
    );
    this.#lit = undefined;
    this.#chords = changesOf(take?.written ?? null).map((held) => {
      const node = placed(this.#chord(canEdit, held, pixels), held.start / duration, held.end / duration);
      return { node, start: held.start, end: held.end };
    });
    ruler.toggleAttribute("data-chords", this.#chords.length > 0);
    ruler.replaceChildren(...(sections ?? []), ...this.#chords.map(({ node }) => node));
    const first = ruler.querySelector(`button[data-key="${key}"]`) ?? ruler.querySelector("button");
    if (!(first instanceof HTMLElement)) return;
    first.tabIndex = 0;
    if (key) first.focus();
  }

  /**
   * Light the chord at a position; null: none.
   *
   * @param {number | null} seconds
   */
  light(seconds) {
    const at = seconds === null ? undefined : this.#chords.find(({ start, end }) => start <= seconds && seconds < end);
    if (at?.node === this.#lit) return;
    this.#lit?.classList.remove("on");
    at?.node.classList.add("on");
    this.#lit = at?.node;
  }

  /**
   * @param {Take | null} take
   * @param {{name: string, start: number, end: number}} section
   * @param {number} at
   * @param {number} pixels for a second
   */
  #section(take, { name, start, end }, at, pixels) {
    const shown = capital(name);
    if (!take || (end - start) * pixels < PRESSED_PIXELS) return element("span", { class: "sec" }, shown);
    const open = async (/** @type {HTMLElement} */ opener) =>
      (await editing()).openSection(opener, take, at, this.#edits);
    return pressed("sec", shown, `Section ${shown}`, `section:${at}`, (opener) => void open(opener));
  }

  /**
   * @param {Take | null} take
   * @param {Held} held
   * @param {number} pixels for a second
   */
  #chord(take, { name, start, end, chords }, pixels) {
    const width = (end - start) * pixels;
    const shown = fitting(name, width);
    if (!take || width < PRESSED_PIXELS) return element("span", { class: "ch" }, shown);
    const label = `${signed(name)}, bar ${chords[0]?.bar}`;
    const open = async (/** @type {HTMLElement} */ opener) =>
      (await editing()).openChord(opener, take, chords, this.#edits);
    return pressed("ch", shown, label, `chord:${start.toFixed(2)}`, (opener) => void open(opener));
  }
}

/** Loaded with the first press: who only listens does not wait for it. */
function editing() {
  return import("./score_edit_view.js");
}

/**
 * @param {string} kind
 * @param {string} shown
 * @param {string} label
 * @param {string} key
 * @param {(opener: HTMLElement) => void} open
 */
function pressed(kind, shown, label, key, open) {
  const press = (/** @type {MouseEvent} */ event) => open(/** @type {HTMLElement} */ (event.currentTarget));
  const attributes = { "aria-label": label, "aria-haspopup": "dialog", "data-key": key, tabindex: -1 };
  return button(kind, shown, press, attributes);
}

/**
 * The arrows move between sections and chords, which share one place in the order of Tab.
 *
 * @param {KeyboardEvent} event
 */
function followKey(event) {
  const from = event.target;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "sec", ArrowDown: "ch" }[event.key];
  if (!step || !(from instanceof HTMLElement) || event.shiftKey) return;
  const all = /** @type {HTMLElement[]} */ ([...byId("ruler").querySelectorAll("button")]);
  const row = all.filter((one) => one.classList.contains(typeof step === "string" ? step : (from.classList[0] ?? "")));
  const nearest = () => row.reduce((best, one) => (apart(one, from) < apart(best, from) ? one : best), row[0] ?? from);
  const to = typeof step === "string" ? nearest() : row[row.indexOf(from) + step];
  event.preventDefault();
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

/** @param {HTMLElement} one @param {HTMLElement} other */
function apart(one, other) {
  return Math.abs(one.offsetLeft - other.offsetLeft);
}

/**
 * @param {HTMLElement} mark
 * @param {number} start share of the width
 * @param {number} end
 */
function placed(mark, start, end) {
  mark.style.left = `${start * 100}%`;
  mark.style.width = `${(end - start) * 100}%`;
  return mark;
}

/**
 * Return the chords where they change, and at the start of a section.
 *
 * @param {Written | null} written
 * @returns {Held[]}
 */
function changesOf(written) {
  /** @type {Held[]} */
  const changes = [];
  for (const chord of written?.chords ?? []) {
    const last = changes.at(-1);
    const begins = written?.sections.some(({ start }) => Math.abs(start - chord.start) < SAME_SECONDS);
    const { name, start, end } = chord;
    if (last && last.name === name && !begins) Object.assign(last, { end, chords: [...last.chords, chord] });
    else changes.push({ name, start, end, chords: [chord] });
  }
  return changes;
}

/**
 * Return the longest form of a chord's name that fits into a width: all of it, or its root and third.
 *
 * @param {string} name
 * @param {number} pixels
 */
function fitting(name, pixels) {
  const short = /^[A-G][#b]?(m(?!aj))?/.exec(name)?.[0] ?? name;
  return signed([name, short].find((one) => widthOf(one) + MARGIN_PIXELS <= pixels) ?? "");
}

/** @param {string} text */
function widthOf(text) {
  const pen = document.createElement("canvas").getContext("2d");
  if (!pen) return 0;
  pen.font = getComputedStyle(byId("ruler")).font;
  return pen.measureText(text).width;
}
