/** The lanes of the score: each part with its name, its place in the mix, its level and its notes. */

import { inks, surfaceOf } from "./canvas.js";
import { button, byId, element, setAttributes } from "./dom.js";
import { shapeOf } from "./facts.js";
import { AS_WRITTEN, gainOf, HIGHEST_DB, isSilent, LOWEST_DB, withPart } from "./mix.js";
import { Roll } from "./roll.js";
import { Stems } from "./stems.js";
import { Store, takeOf } from "./store.js";
import { fillEnvelope } from "./wave.js";
import { counted, named } from "./words.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./types.js").Part} Part
 * @typedef {import("./types.js").PartMix} PartMix
 *
 * @typedef {object} Lane
 * @property {string} part
 * @property {HTMLElement} node
 * @property {Roll | null} roll null for a part without notes
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} meter
 */

const STEP_DB = 0.5;

/** Shows the lanes and keeps them in step with the mix and the position. */
export class Lanes {
  #store;
  #stems;
  /** @type {Lane[]} */
  #lanes = [];

  /**
   * @param {Store} store
   * @param {Stems} stems
   */
  constructor(store, stems) {
    this.#store = store;
    this.#stems = stems;
    store.watch(
      (state) => [state.current, state.parts[state.current ?? ""], state.stems],
      (state) => this.#build(state),
    );
    store.watch(
      (state) => [state.mixes, state.current, state.parts, state.stems, takeOf(state)?.track],
      (state) => this.#showMix(state),
    );
    byId("lanes").addEventListener("keydown", (event) => this.#followKey(event));
  }

  /** Draw every lane anew, as after a change of the size or the theme. */
  draw() {
    const shape = shapeOf(takeOf(this.#store.state));
    for (const { roll, canvas, part } of this.#lanes) {
      roll?.draw({ duration: shape?.duration ?? 1, bars: shape?.bars ?? 0 });
      const stem = this.#stems.of(this.#store.state.current).find((one) => one.part === part);
      if (!roll && stem) drawSound(canvas, stem.envelope);
    }
  }

  /**
   * Show what sounds at a position: lit notes, and the level of each part.
   *
   * @param {number} seconds
   */
  follow(seconds) {
    const { isPlaying, current, mixes } = this.#store.state;
    const duration = shapeOf(takeOf(this.#store.state))?.duration ?? 1;
    const stems = this.#stems.of(current);
    const mix = mixes[current ?? ""];
    for (const { part, roll, meter } of this.#lanes) {
      roll?.light(isPlaying && !isSilent(mix, part) ? seconds : null);
      const rms = stems.find((stem) => stem.part === part)?.envelope.rms;
      const level = rms && isPlaying ? (rms[Math.floor((seconds / duration) * rms.length)] ?? 0) * gainOf(mix, part) : 0;
      // The ear hears the root as even steps.
      meter.style.transform = `scaleX(${Math.min(1, Math.sqrt(level)).toFixed(2)})`;
    }
  }

  /** @param {State} state */
  #build(state) {
    const parts = state.parts[state.current ?? ""] ?? [];
    const names = [...parts.map(({ name }) => name), ...this.#stems.of(state.current).map(({ part }) => part)];
    const focus = focusIn(byId("lanes"));
    this.#lanes = [...new Set(names)].map((name) => this.#lane(name, parts.find((part) => part.name === name)));
    byId("lanes").replaceChildren(...this.#lanes.map(({ node }) => node));
    focus?.();
    this.draw();
  }

  /**
   * @param {string} name
   * @param {Part | undefined} part undefined for a sound without notes
   * @returns {Lane}
   */
  #lane(name, part) {
    const title = named(name || "part");
    const instrument = part?.instrument ?? "Ambience";
    const label = part ? counted(part.notes.length, "note") : "No notes, a sound";
    const canvas = element("canvas", { attributes: { role: "img", "aria-label": label } });
    const lit = element("canvas", { class: "lit", attributes: { "aria-hidden": true } });
    const meter = element("i", { class: "level", attributes: { "aria-hidden": true } });
    const node = element(
      "div",
      { class: "lane", attributes: { role: "group", "aria-label": `${title}, ${instrument}`, "data-part": name } },
      element(
        "div",
        { class: "cell" },
        element("span", { class: "name" }, title, element("small", {}, instrument), meter),
        ...this.#controls(name, title),
      ),
      element("div", { class: "roll" }, canvas, lit),
    );
    return { part: name, node, roll: part ? new Roll(part, canvas, lit) : null, canvas, meter };
  }

  /** @param {string} part @param {string} title */
  #controls(part, title) {
    const gain = element("input", {
      class: "gain",
      attributes: {
        type: "range", min: LOWEST_DB, max: HIGHEST_DB, step: STEP_DB, "aria-label": `${title}, gain in decibels`,
      }, // prettier-ignore
      on: {
        input: () => this.#change(part, { gainDb: Number(gain.value) }),
        // A double click is back as written.
        dblclick: () => this.#change(part, { gainDb: 0 }),
      },
    });
    const flip = (/** @type {"isMuted" | "isSolo"} */ which) =>
      this.#change(part, { [which]: !this.#mixOf(part)[which] });
    const press = (/** @type {string} */ kind, /** @type {string} */ word, /** @type {"isMuted" | "isSolo"} */ which) =>
      button(kind, kind.toUpperCase(), () => flip(which), { "aria-label": `${word} ${title}`, title: word });
    return [gain, element("span", { class: "ms" }, press("m", "Mute", "isMuted"), press("s", "Solo", "isSolo"))];
  }

  /** @param {string} part */
  #mixOf(part) {
    const { mixes, current } = this.#store.state;
    return mixes[current ?? ""]?.[part] ?? AS_WRITTEN;
  }

  /** @param {string} part @param {Partial<PartMix>} change */
  #change(part, change) {
    const { current, mixes } = this.#store.state;
    if (current === null) return;
    this.#store.change({ mixes: { ...mixes, [current]: withPart(mixes[current], part, change) }, intensity: null });
    void this.#stems.need();
  }

  /** @param {State} state */
  #showMix({ current, mixes, stems, takes }) {
    const mix = mixes[current ?? ""];
    const canMix = Boolean(takes.find((take) => take.id === current)?.track);
    byId("lanes").setAttribute("aria-busy", String(stems === "loading"));
    for (const { part, node } of this.#lanes) {
      const { isMuted, isSolo, gainDb } = mix?.[part] ?? AS_WRITTEN;
      node.classList.toggle("mute", isSilent(mix, part));
      const [gain, mute, solo] = /** @type {HTMLElement[]} */ ([...node.querySelectorAll("input, button")]);
      if (!(gain instanceof HTMLInputElement) || !mute || !solo) continue;
      for (const control of [gain, mute, solo]) setAttributes(control, { disabled: !canMix });
      setAttributes(mute, { "aria-pressed": isMuted });
      setAttributes(solo, { "aria-pressed": isSolo });
      gain.value = String(gainDb);
      gain.setAttribute("aria-valuetext", gainDb <= LOWEST_DB ? "silent" : `${gainDb} decibels`);
      gain.style.setProperty("--v", String((gainDb - LOWEST_DB) / (HIGHEST_DB - LOWEST_DB)));
    }
  }

  /**
   * M and S act on the part in focus, up and down move between parts.
   *
   * @param {KeyboardEvent} event
   */
  #followKey(event) {
    const at = this.#lanes.findIndex(({ node }) => node.contains(/** @type {Node} */ (event.target)));
    const lane = this.#lanes[at];
    if (!lane || event.ctrlKey || event.metaKey || event.altKey) return;
    const isLetter = this.#store.state.hasLetterKeys;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (isLetter && (event.key === "m" || event.key === "s")) {
      const which = event.key === "m" ? "isMuted" : "isSolo";
      this.#change(lane.part, { [which]: !this.#mixOf(lane.part)[which] });
    } else if (step && !(event.target instanceof HTMLInputElement)) {
      const own = [...lane.node.querySelectorAll("input, button")].indexOf(/** @type {Element} */ (event.target));
      const next = this.#lanes[at + step]?.node.querySelectorAll("input, button")[own];
      if (next instanceof HTMLElement) next.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * Return what gives the focus back to the same control of the same part; undefined where it is elsewhere.
 *
 * @param {HTMLElement} lanes
 */
function focusIn(lanes) {
  const focused = document.activeElement;
  const lane = focused?.closest(".lane");
  if (!focused || !lane || !lanes.contains(lane)) return undefined;
  const at = [...lane.querySelectorAll("input, button")].indexOf(focused);
  const part = lane.getAttribute("data-part") ?? "";
  return () => {
    const control = lanes.querySelector(`[data-part="${CSS.escape(part)}"]`)?.querySelectorAll("input, button")[at];
    if (control instanceof HTMLElement) control.focus();
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {import("./envelope.js").Envelope} envelope
 */
function drawSound(canvas, envelope) {
  const surface = surfaceOf(canvas);
  if (!surface) return;
  const { pen, width, height } = surface;
  pen.fillStyle = inks("wave-core")["wave-core"];
  pen.translate(0, height * 0.15);
  fillEnvelope(pen, envelope.peaks, { width, height: height * 0.7, from: 0, to: width });
}
