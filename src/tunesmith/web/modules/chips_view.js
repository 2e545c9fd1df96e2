/** Chips: what the composer understood; each says why, and can be locked, changed or left out. */

import { answersOf, decide, FIELDS, release } from "./answers.js";
import { button, byId, element, icon } from "./dom.js";
import { closePopover, openPopover } from "./popover.js";
import { wordsOf } from "./prompt_view.js";
import { Store } from "./store.js";
import { capital, named, quoted } from "./words.js";

/**
 * @typedef {import("./answers.js").Answer} Answer
 * @typedef {import("./types.js").Draft} Draft
 * @typedef {import("./types.js").FixedField} FixedField
 */

const ORIGINS = {
  prompt: "from your words",
  meaning: "from the meaning of your words",
  genre: "usual for the genre",
  chance: "drawn by chance",
  flag: "decided by you",
};
/** @type {Record<FixedField, {name: string, example: string}>} */
const CHOICES = {
  genre: { name: "Genre", example: "lofi, jazz, epic orchestral" },
  tempo_bpm: { name: "Tempo, beats per minute", example: "96" },
  key: { name: "Key", example: "D minor" },
  meter: { name: "Meter", example: "3/4" },
  instruments: { name: "Instrument", example: "piano, violin, flute" },
};

/** @param {Store} store */
export function showChips(store) {
  store.watch(
    (state) => [state.draft, state.brief],
    (state) => {
      const list = byId("chips");
      list.hidden = !state.draft.prompt.trim() || state.draft.model !== "composer";
      const chips = answersOf(state).map((one) => chip(store, one));
      const without = state.draft.without.map((name) => leftOut(store, name));
      const more = button("chip add", ["+", element("span", {}, "Add")], (event) => addAnswer(store, openerOf(event)), {
        "aria-label": "Add a wish",
        "aria-haspopup": "dialog",
        "data-key": "add",
      });
      list.replaceChildren(...[...chips, ...without, more].map((one) => element("li", {}, one)));
      showWarnings(state.brief?.warnings ?? []);
    },
  );
}

/**
 * @param {Store} store
 * @param {Answer} answer
 */
function chip(store, answer) {
  const isOwn = answer.source === "flag";
  const isGuess = answer.source === "genre" || answer.source === "chance";
  const sign = isOwn ? icon("lock") : answer.source === "chance" ? icon("dice") : null;
  const label = element("span", { class: "sr" }, `${answer.label}: `);
  const content = [...(sign ? [sign] : []), label, answer.shown];
  return button(
    `chip ${isOwn ? "locked" : isGuess ? "guess" : ""}`,
    content,
    (event) => explain(store, answer, openerOf(event)),
    { "aria-haspopup": "dialog", "data-key": answer.field },
  );
}

/**
 * @param {Store} store
 * @param {string} name an instrument
 */
function leftOut(store, name) {
  const press = () => edit(store, (draft) => ({ ...draft, without: draft.without.filter((one) => one !== name) }));
  return button("chip out", [icon("close"), `No ${named(name).toLowerCase()}`], press, {
    "aria-label": `No ${named(name).toLowerCase()}; press to allow it`,
  });
}

/**
 * @param {Store} store
 * @param {Answer} answer
 * @param {HTMLElement} opener
 */
function explain(store, answer, opener) {
  const { fixes, value, because } = answer;
  const isOwn = answer.source === "flag";
  const act = (/** @type {string} */ text, /** @type {(draft: Draft) => Draft} */ change) =>
    button("plain", text, () => {
      edit(store, change);
      closePopover();
    });
  const byChance = answer.source === "chance" ? "; another with each seed" : "";
  const spoken = wordsOf(because);
  openPopover(opener, `${answer.label}: ${answer.shown}`, [
    element("p", { class: "kind" }, `${answer.label}, ${ORIGINS[answer.source]}`),
    element("h3", {}, answer.shown),
    element("p", {}, `${capital(quoted(because))}${byChance}.${fixes ? "" : " To change it, change the words."}`),
    element(
      "div",
      { class: "row" },
      fixes ? button("plain", "Change…", () => change(store, fixes, opener, value)) : null,
      fixes && !isOwn ? act("Lock", (draft) => decide(draft, fixes, value)) : null,
      fixes && isOwn ? act("Unlock", (draft) => release(draft, fixes, value)) : null,
      fixes === "instruments"
        ? act("Leave out", (draft) => without(release(draft, fixes, value), value, spoken))
        : null,
      fixes !== "instruments" && spoken.length ? act("Leave out", (draft) => without(draft, null, spoken)) : null,
    ),
  ]);
}

/**
 * Ask for another answer to a field.
 *
 * @param {Store} store
 * @param {FixedField} field
 * @param {HTMLElement} opener
 * @param {string} [before] the answer that it replaces
 */
function change(store, field, opener, before) {
  const { name, example } = CHOICES[field];
  const box = element("input", {
    attributes: { id: "choice", placeholder: example, autocomplete: "off", required: true },
  });
  if (field === "tempo_bpm") Object.assign(box, { type: "number", min: "20", max: "300", step: "any" });
  const take = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const value = box.value.trim();
    if (!value) return;
    edit(store, (draft) => decide(before === undefined ? draft : release(draft, field, before), field, value));
    closePopover();
  };
  openPopover(opener, name, [
    element(
      "form",
      { class: "choice", on: { submit: take } },
      element("label", { attributes: { for: "choice" } }, name),
      box,
      element("button", { class: "plain strong", attributes: { type: "submit" } }, "Use it"),
    ),
  ]);
}

/**
 * @param {Store} store
 * @param {HTMLElement} opener
 */
function addAnswer(store, opener) {
  const fields = Object.values(FIELDS).flatMap(({ fixes }) => fixes ?? []);
  openPopover(opener, "Add a wish", [
    element(
      "div",
      { class: "menu" },
      ...fields.map((field) => button("", `${CHOICES[field].name.split(",")[0]}…`, () => change(store, field, opener))),
    ),
  ]);
}

/**
 * Return the draft without an instrument, and without words of the prompt.
 *
 * @param {Draft} draft
 * @param {string | null} instrument
 * @param {string[]} words
 * @returns {Draft}
 */
function without(draft, instrument, words) {
  if (instrument) return { ...draft, without: [...draft.without, instrument] };
  let prompt = draft.prompt;
  for (const one of words) {
    const start = prompt.toLowerCase().indexOf(one.toLowerCase());
    if (start >= 0) prompt = prompt.slice(0, start) + prompt.slice(start + one.length);
  }
  // What was joined to the words goes with them.
  return {
    ...draft,
    prompt: prompt
      .replace(/(\s*(,|and|with))+\s*(?=,|$)/gi, "")
      .replace(/\s+/g, " ")
      .trim(),
  };
}

/**
 * @param {Store} store
 * @param {(draft: Draft) => Draft} change
 */
function edit(store, change) {
  store.change({ draft: change(store.state.draft), askProblem: null });
}

/** @param {string[]} warnings */
function showWarnings(warnings) {
  const place = byId("warning");
  place.hidden = !warnings.length;
  if (warnings.length) place.replaceChildren(icon("warn"), warnings.map((one) => `${capital(one)}.`).join(" "));
}

/** @param {MouseEvent} event */
function openerOf(event) {
  return /** @type {HTMLElement} */ (event.currentTarget);
}
