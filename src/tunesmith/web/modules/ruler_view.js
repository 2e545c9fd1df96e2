/** The ruler over the score: sections and chords on the time axis. */

import { byId, element } from "./dom.js";
import { shapeOf } from "./facts.js";
import { takeOf } from "./store.js";
import { capital, keyName } from "./words.js";

/** @typedef {import("./types.js").Written} Written */

/** Around the name of a chord. */
const MARGIN_PIXELS = 9;
const SAME_SECONDS = 0.01;

/** Shows sections and chords, and lights the chord that sounds. */
export class Ruler {
  /** @type {{node: HTMLElement, start: number, end: number}[]} */
  #chords = [];
  /** @type {HTMLElement | undefined} */
  #lit;

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
    const sections = (shape?.sections ?? []).map(({ name, start, end }) =>
      placed(element("span", { class: "sec" }, capital(name)), start / duration, end / duration),
    );
    this.#lit = undefined;
    this.#chords = changesOf(take?.written ?? null).map(({ name, start, end }) => {
      const node = element("span", { class: "ch" }, fitting(name, (end - start) * pixels));
      return { node: placed(node, start / duration, end / duration), start, end };
    });
    ruler.toggleAttribute("data-chords", this.#chords.length > 0);
    ruler.replaceChildren(...sections, ...this.#chords.map(({ node }) => node));
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
 */
function changesOf(written) {
  /** @type {Written["chords"]} */
  const changes = [];
  for (const chord of written?.chords ?? []) {
    const last = changes.at(-1);
    const begins = written?.sections.some(({ start }) => Math.abs(start - chord.start) < SAME_SECONDS);
    if (last && last.name === chord.name && !begins) last.end = chord.end;
    else changes.push({ ...chord });
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
  const found = [name, short].find((one) => widthOf(one) + MARGIN_PIXELS <= pixels) ?? "";
  return keyName(found).replace(/\/([A-G])#/, "/$1♯").replace(/\/([A-G])b/, "/$1♭");
}

/** @param {string} text */
function widthOf(text) {
  const pen = document.createElement("canvas").getContext("2d");
  if (!pen) return 0;
  pen.font = getComputedStyle(byId("ruler")).font;
  return pen.measureText(text).width;
}
