/** Hit points as flags over the score: dragged, moved with keys, and a press away from the take that has them. */

import { byId, element, icon, replaceKeepingFocus } from "./dom.js";
import { isComposed } from "./facts.js";
import { areSame, hitsOf, isIn, replacedHit, withHit } from "./hits.js";
import { menuItem, openPopover } from "./popover.js";
import { beatAt } from "./meter.js";
import { Store, takeOf } from "./store.js";
import { clock, counted, tenths } from "./words.js";

/** @typedef {import("./types.js").Hit} Hit */

/** A shorter way is a press. */
const DRAG_PIXELS = 4;
const FINE_SECONDS = 0.1;

/** Shows the hits of the draft on the time axis of the take on the stage. */
export class HitPoints {
  #store;
  #player;

  /**
   * @param {Store} store
   * @param {import("./player.js").Player} player
   * @param {(take: import("./types.js").Take, fields: Record<string, unknown>) => void} again
   */
  constructor(store, player, again) {
    this.#store = store;
    this.#player = player;
    byId("add-hit").addEventListener("click", () => this.add());
    byId("again-hits").addEventListener("click", () => {
      const take = takeOf(store.state);
      if (take) again(take, { hits: store.state.draft.hits });
    });
    byId("clear-hits").addEventListener("click", () => this.#change([]));
    store.watch(
      (state) => [state.draft.hits, takeOf(state)?.facts, takeOf(state)?.request],
      () => this.#show(),
    );
  }

  /** Put a hit at the playhead. */
  add() {
    const time = this.#player.position;
    this.#change(withHit(this.#store.state.draft.hits, time), `Hit point at ${tenths(time)}`);
  }

  #show() {
    const { draft } = this.#store.state;
    const take = takeOf(this.#store.state);
    const duration = take?.facts?.duration ?? 0;
    const own = hitsOf(take);
    byId("hit-actions").hidden = !duration || !isComposed(take);
    byId("again-hits").hidden = !take?.facts || areSame(draft.hits, own);
    byId("clear-hits").hidden = !draft.hits.length || draft.model !== "composer";
    byId("clear-hits").replaceChildren(icon("close"), counted(draft.hits.length, "hit"));
    const flags = draft.hits
      .filter(({ time }) => time <= duration)
      .map((hit) => this.#flag(hit, duration, isIn(hit, own)));
    replaceKeepingFocus(byId("hits"), flags);
  }

  /**
   * @param {Hit} hit
   * @param {number} duration seconds
   * @param {boolean} isHeard whether the take on the stage was asked for with it
   */
  #flag(hit, duration, isHeard) {
    const name = hit.climax ? "Climax" : "Hit";
    const flag = element(
      "button",
      {
        class: `hit ${isHeard ? "" : "new"}`,
        attributes: {
          type: "button", role: "slider", "aria-label": isHeard ? name : `${name}, not in the music yet`,
          "aria-valuemin": 0, "aria-valuemax": duration, "aria-valuenow": hit.time, "aria-valuetext": tenths(hit.time),
        }, // prettier-ignore
        on: {
          keydown: (event) => this.#followKey(event, hit, duration),
          pointerdown: (event) => this.#drag(event, hit, duration),
        },
      },
      element("i"),
      element("span", {}, `${name} ${clock(hit.time)}`),
    );
    flag.style.left = `${(hit.time / duration) * 100}%`;
    return flag;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Hit} hit
   * @param {number} duration
   */
  #followKey(event, hit, duration) {
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (direction) this.#move(hit, hit.time + direction * this.#step(event), duration);
    else if (event.key === "Delete" || event.key === "Backspace") this.#replace(hit, null);
    else if (event.key === "Enter" || event.key === " ") this.#open(/** @type {HTMLElement} */ (event.target), hit);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event a beat; with Shift a bar, with Alt a tenth of a second */
  #step(event) {
    const at = beatAt(0, this.#store.state);
    if (event.altKey || !at) return FINE_SECONDS;
    return event.shiftKey ? at.barSeconds : at.beatSeconds;
  }

  /**
   * @param {PointerEvent} event
   * @param {Hit} hit
   * @param {number} duration
   */
  #drag(event, hit, duration) {
    const flag = /** @type {HTMLElement} */ (event.currentTarget);
    const axis = byId("wave").getBoundingClientRect();
    const from = event.clientX;
    let time = hit.time;
    let isDragged = false;
    flag.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ moved) => {
      isDragged ||= Math.abs(moved.clientX - from) > DRAG_PIXELS;
      if (!isDragged) return;
      const share = Math.max(0, Math.min(1, (moved.clientX - axis.left) / axis.width));
      time = this.#snapped(share * duration, moved.shiftKey);
      flag.style.left = `${(time / duration) * 100}%`;
    };
    const end = () => {
      flag.removeEventListener("pointermove", move);
      if (isDragged) this.#move(hit, time, duration);
      else this.#open(flag, hit);
    };
    flag.addEventListener("pointermove", move);
    flag.addEventListener("pointerup", end, { once: true });
    event.preventDefault();
    flag.focus();
  }

  /** @param {number} time @param {boolean} isWished */
  #snapped(time, isWished) {
    const at = beatAt(0, this.#store.state);
    if (!isWished || !at) return time;
    return Math.round(time / at.barSeconds) * at.barSeconds;
  }

  /** @param {HTMLElement} flag @param {Hit} hit */
  #open(flag, hit) {
    const duration = takeOf(this.#store.state)?.facts?.duration ?? 0;
    openPopover(flag, "Hit point", [
      element("h3", {}, `${hit.climax ? "Climax" : "Hit"} at ${tenths(hit.time)}`),
      element("p", {}, "Drag it, with Shift from bar to bar; or move it with the arrow keys."),
      element(
        "div",
        { class: "menu" },
        menuItem(hit.climax ? "Only a hit" : "The climax", () => this.#replace(hit, { ...hit, climax: !hit.climax })),
        menuItem("To the nearest bar", () => this.#move(hit, this.#snapped(hit.time, true), duration)),
        menuItem("Remove", () => this.#replace(hit, null)),
      ),
    ]);
  }

  /** @param {Hit} hit @param {number} time @param {number} duration */
  #move(hit, time, duration) {
    const kept = Math.max(0, Math.min(duration - 0.1, time));
    this.#replace(hit, { ...hit, time: kept }, `At ${tenths(kept)}`);
  }

  /** @param {Hit} before @param {Hit | null} after @param {string} [said] */
  #replace(before, after, said = "") {
    this.#change(replacedHit(this.#store.state.draft.hits, before, after), said);
  }

  /** @param {Hit[]} hits @param {string} [announcement] */
  #change(hits, announcement = "") {
    this.#store.changeDraft({ hits });
    this.#store.change({ announcement });
  }
}
