/** The line "Change it" under a take: its words, what is understood of them as chips, and what it was made with. */

import { button, byId, element, icon, replaceKeepingFocus } from "./dom.js";
import { openPopover } from "./popover.js";
import { Store, takeOf } from "./store.js";
import { capital, named, quoted } from "./words.js";

/**
 * @typedef {import("./types.js").Understood} Understood
 * @typedef {Understood["changes"][number]} Change
 */

/** Where nothing was before. */
const NOTHING = "–";
/** As many changes have room beside the line. */
const BESIDE = 2;
/** Valence and arousal say less than their words. */
const COORDINATES = / \([+-][\d.]+, [+-][\d.]+\)/g;

/**
 * @param {Store} store
 * @param {import("./changes.js").Changes} changes
 */
export function showChange(store, changes) {
  const form = byId("change", HTMLFormElement);
  const box = byId("change-words", HTMLInputElement);
  const make = byId("change-now", HTMLButtonElement);
  box.addEventListener("input", () => changes.say(box.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void changes.make();
  });
  store.watch(
    (state) => [state.wish, takeOf(state)],
    (state) => {
      const take = takeOf(state);
      const { words, understood, problem, isSending } = state.wish;
      form.hidden = !take || take.isLocal || take.state === "failed";
      if (form.hidden) return;
      if (box.value !== words) box.value = words;
      make.hidden = !words.trim();
      make.disabled = !take?.track || isSending;
      const isTyped = words.trim() !== "";
      const shown = isTyped ? understood : (take?.change ?? null);
      const chips = byId("change-chips");
      const made = isTyped ? [] : [element("span", { class: "field-name" }, "Changed:")];
      chips.hidden = !shown?.changes.length;
      // The little that was changed stands beside the line, all else below it.
      form.toggleAttribute("data-made", !isTyped && !chips.hidden && (shown?.changes.length ?? 0) <= BESIDE);
      chips.setAttribute("aria-label", isTyped ? "What the change would do" : "What this take changes");
      replaceKeepingFocus(chips, [...made, ...(shown?.changes ?? []).map(chipOf)]);
      // What is understood comes below, where the transport may lie over it.
      if (isTyped && form.contains(document.activeElement)) requestAnimationFrame(() => form.scrollIntoView({ block: "nearest" }));
      showNote(isTyped && problem ? `${problem.title} ${problem.advice}` : notesOf(shown), isTyped && problem !== null);
    },
  );
}

/**
 * @param {string} text
 * @param {boolean} isWarning
 */
function showNote(text, isWarning) {
  const note = byId("change-note");
  note.hidden = !text;
  note.replaceChildren(...(isWarning ? [icon("warn")] : []), element("span", {}, text));
}

/** @param {Understood | null} understood */
function notesOf(understood) {
  if (!understood) return "";
  const unknown = understood.not_understood.map((words) => `‘${words}’`).join(", ");
  const notes = understood.notes.map((note) => `${capital(quoted(note)).replace(/\.$/, "")}.`);
  return [...(unknown ? [`Not understood: ${unknown}.`] : []), ...notes].join(" ");
}

/**
 * A chip that says what a change does; pressed, why.
 *
 * @param {Change} change
 */
function chipOf(change) {
  const { field, before, after, because, source } = change;
  const [name, was, is] = [named(field).replace(/ bpm$/i, ""), plain(before), plain(after)];
  const isNew = before === NOTHING;
  const content = [
    element("span", { class: "field-name" }, `${name} `),
    ...(isNew ? [] : [element("s", {}, was), element("span", { class: "sr" }, " becomes "), arrow()]),
    is,
  ];
  const label = `${name}: ${isNew ? is : `${was}, becomes ${is}`}`;
  const why = capital(quoted(because || "It follows from the others"));
  return button(
    `chip ${source === "follows" ? "guess" : ""}`,
    content,
    (event) =>
      openPopover(/** @type {HTMLElement} */ (event.currentTarget), label, [
        element("p", { class: "kind" }, source === "follows" ? `${name}, follows` : `${name}, your words`),
        element("h3", {}, is),
        element("p", {}, `${why}.${isNew ? "" : ` It was ${was}.`}`),
      ]),
    { "aria-haspopup": "dialog", "data-key": `change:${field}` },
  );
}

function arrow() {
  return element("span", { class: "to", attributes: { "aria-hidden": true } }, "→");
}

/** @param {string} value */
function plain(value) {
  return value.replace(COORDINATES, "").replaceAll("_", " ");
}
