/** Piano: two octaves of keys for mouse, touch, the letters of the keyboard and MIDI; it knows which notes are held. */

import { element, setAttributes } from "../dom.js";

const NAMES = ["C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B"];
const BLACK = new Set([1, 3, 6, 8, 10]);
const KEYS = 25;
const HIGHEST = 127;

/** Keys of the letter rows by their place, whatever the layout prints on them, as semitones above the first C. */
const LETTERS = [
  "KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL",
  "KeyP", "Semicolon",
]; // prettier-ignore

/** A piano keyboard; `changed` hears of the notes that are held. */
export class Piano {
  #changed;
  #lowest = 48;
  /** How many fingers hold each note. @type {Map<number, number>} */
  #held = new Map();
  /** Notes that the letters hold, by their key. @type {Map<string, number>} */
  #letters = new Map();
  /** Whether a key stays down until it is pressed again. */
  isLatched = false;

  /** @param {(notes: number[]) => void} changed */
  constructor(changed) {
    this.#changed = changed;
    this.element = element("div", { class: "piano", attributes: { role: "group", "aria-label": "Notes to hold" } });
    this.#draw();
  }

  /** The MIDI numbers of the notes that are held, from the lowest on. */
  get notes() {
    return [...this.#held.keys()].sort((one, other) => one - other);
  }

  /** @param {number} note */
  press(note) {
    const fingers = this.#held.get(note) ?? 0;
    if (this.isLatched && fingers) return this.#hold(note, 0);
    this.#hold(note, fingers + 1);
  }

  /** @param {number} note */
  release(note) {
    if (!this.isLatched) this.#hold(note, Math.max(0, (this.#held.get(note) ?? 0) - 1));
  }

  /** Let go of all notes. */
  clear() {
    this.#letters.clear();
    for (const note of this.notes) this.#hold(note, 0);
  }

  /** @param {number} octaves up, or down if negative */
  shift(octaves) {
    const lowest = this.#lowest + 12 * octaves;
    if (lowest < 0 || lowest + KEYS - 1 > HIGHEST) return;
    this.clear();
    this.#lowest = lowest;
    this.#draw();
  }

  /**
   * Play by the letters of the keyboard; return whether a key is one of them.
   *
   * @param {KeyboardEvent} event
   */
  follow({ code, type, repeat }) {
    const step = LETTERS.indexOf(code);
    if (step < 0) return false;
    if (type === "keydown" && !repeat && !this.#letters.has(code)) {
      this.#letters.set(code, this.#lowest + step);
      this.press(this.#lowest + step);
    }
    if (type === "keyup") {
      const note = this.#letters.get(code);
      this.#letters.delete(code);
      if (note !== undefined) this.release(note);
    }
    return true;
  }

  /**
   * @param {number} note
   * @param {number} fingers
   */
  #hold(note, fingers) {
    const before = this.#held.has(note);
    if (fingers) this.#held.set(note, fingers);
    else this.#held.delete(note);
    if (before === this.#held.has(note)) return;
    this.#show(note);
    this.#changed(this.notes);
  }

  /** @param {number} note */
  #show(note) {
    const key = this.element.children[note - this.#lowest];
    if (key) setAttributes(key, { "aria-pressed": this.#held.has(note) });
  }

  #draw() {
    this.element.replaceChildren(...Array.from({ length: KEYS }, (_, step) => this.#key(this.#lowest + step)));
  }

  /** @param {number} note */
  #key(note) {
    const name = `${NAMES[note % 12]} ${Math.floor(note / 12) - 1}`;
    const key = element("button", {
      class: BLACK.has(note % 12) ? "black" : "white",
      attributes: { type: "button", "aria-label": name, "aria-pressed": this.#held.has(note) },
    });
    key.addEventListener("pointerdown", (event) => {
      // A finger that slides off still lets go of this key.
      if (event.isTrusted) key.setPointerCapture(event.pointerId);
      this.press(note);
    });
    for (const kind of ["pointerup", "pointercancel"]) key.addEventListener(kind, () => this.release(note));
    key.addEventListener("keydown", (event) => {
      if ((event.key === " " || event.key === "Enter") && !event.repeat) this.press(note);
    });
    key.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key === "Enter") this.release(note);
    });
    return key;
  }
}
