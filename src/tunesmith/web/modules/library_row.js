/** A row of the library: the melody of a piece, its title and what is worth knowing of it. */

import { askedInWords } from "./differences.js";
import { button, element, icon, setAttributes } from "./dom.js";
import { drawFigure, partOf } from "./figure.js";
import { capital, clock, keyName, titleOf } from "./words.js";

/** @typedef {import("./types.js").Track} Track */

/** The height of every row, as in the style sheet. */
export const ROW_PIXELS = 54;

/** One place in the list, whose track may come later and change. */
export class LibraryRow {
  #at;
  #outlines;
  #open;
  #key = "";
  /** @type {Track | undefined} */
  #track;
  #isCurrent = false;
  #figure = element("canvas", { class: "mini", attributes: { "aria-hidden": true } });

  /**
   * @param {number} at
   * @param {import("./outlines.js").Outlines} outlines
   * @param {(track: Track) => void} open
   */
  constructor(at, outlines, open) {
    this.#at = at;
    this.#outlines = outlines;
    this.#open = open;
    this.node = element("li");
    this.node.style.top = `${at * ROW_PIXELS}px`;
  }

  /**
   * Show a track; undefined: it is on its way.
   *
   * @param {Track | undefined} track
   * @param {Track | undefined} above the one in the row above
   * @param {{current: string | null, total: number}} list the track on the stage, and the length of the list
   */
  show(track, above, { current, total }) {
    setAttributes(this.node, { "aria-setsize": total, "aria-posinset": this.#at + 1 });
    const isChild = Boolean(track && above && isSameRun(track, above));
    const key = `${track?.id} ${isChild} ${track?.starred} ${track?.rating} ${track?.tags} ${track?.audio}`;
    if (key !== this.#key) {
      this.#key = key;
      this.#track = track;
      const hadFocus = this.node.contains(document.activeElement);
      this.node.replaceChildren(track ? this.#button(track, isChild) : element("span", { class: "row-item coming" }));
      if (hadFocus) this.focus();
      this.#isCurrent = false;
      this.drawFigure();
    }
    const isCurrent = track !== undefined && track.id === current;
    if (isCurrent === this.#isCurrent) return;
    this.#isCurrent = isCurrent;
    const row = this.node.firstElementChild;
    if (isCurrent) row?.setAttribute("aria-current", "true");
    else row?.removeAttribute("aria-current");
  }

  /** Move the focus here. */
  focus() {
    this.node.querySelector("button")?.focus();
  }

  /** Draw the melody, or the outline of the sound where there are no notes. */
  drawFigure() {
    const track = this.#track;
    if (!track) return;
    if (track.figure?.length) return drawFigure(this.#figure, false, partOf(track.figure), undefined, 1);
    if (track.peaks === null) return;
    void this.#outlines.of(track.id).then((envelope) => {
      if (this.#track === track && envelope) drawFigure(this.#figure, false, undefined, envelope, 1);
    });
  }

  /**
   * @param {Track} track
   * @param {boolean} isChild
   */
  #button(track, isChild) {
    const loop = track.request["loop"] ? " loop" : "";
    const seed = track.seed === null ? "" : `seed ${track.seed}`;
    const sound = [track.key ? keyName(track.key) : "", track.tempo_bpm ? `${Math.round(track.tempo_bpm)} bpm` : ""];
    const asked = track.parent === null ? "" : askedInWords(track.request);
    const name = isChild && asked ? asked : capital(seed);
    const isNamed = isChild && name === capital(seed);
    const about = [`${clock(track.duration)}${loop}`, ...sound, isNamed || sound[0] ? "" : seed];
    const isVariation = !isChild && track.parent !== null;
    const kindOf = isVariation ? asked || "variation" : "";
    const text = element(
      "span",
      {},
      element("b", {}, isChild && name ? name : (track.title ?? titleOf(track.prompt))),
      element("small", {}, [kindOf, ...about, "★".repeat(track.rating ?? 0), ...track.tags].filter(Boolean).join(" · ")),
    );
    const star = track.starred ? [icon("star", "on"), element("span", { class: "sr" }, "starred")] : [];
    const isGone = track.audio === null;
    const title = isGone ? "Its file is no longer kept; it can be made again" : track.prompt;
    const kind = `row-item ${isChild ? "child" : ""} ${isGone ? "gone" : ""}`;
    return button(kind, [this.#figure, text, ...star], () => this.#open(track), { title });
  }
}

/**
 * Return whether a track belongs to the one above it: another take or variation of the same request.
 *
 * @param {Track} track
 * @param {Track} above
 */
function isSameRun(track, above) {
  return track.prompt === above.prompt && track.generated_by === above.generated_by;
}
