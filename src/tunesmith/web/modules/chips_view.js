/** Chips: what the composer understood; each says why, and can be locked, changed or left out. */

import { answersOf, decide, FIXED, fixedBy, isOfTheBand, LABELS, release } from "./answers.js";
import { askedInWords } from "./differences.js";
import { button, byId, element, icon, unlessPressed } from "./dom.js";
import { closePopover, openPopover } from "./popover.js";
import { withoutSpans } from "./spans.js";
import { Store } from "./store.js";
import { capital, named, quoted } from "./words.js";

/**
 * @typedef {import("./answers.js").Answer} Answer
 * @typedef {import("./types.js").Draft} Draft
 * @typedef {import("./types.js").FixedField} FixedField
 */

const ORIGINS = {
  words: "from your words",
  setting: "decided by you",
  genre: "usual for the genre",
  mood: "follows the mood",
  chance: "drawn by chance",
  default: "the default",
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
    unlessPressed(byId("chips"), (state) => {
      const list = byId("chips");
      list.hidden = !state.draft.prompt.trim() || state.draft.model !== "composer";
      const chips = answersOf(state).map((one) => chip(store, one));
      const without = state.draft.without.map((name) => leftOut(store, name));
      const more = button("chip add", ["+", element("span", {}, "Add")], (event) => addAnswer(store, openerOf(event)), {
        "aria-label": "Add a wish",
        "aria-haspopup": "dialog",
        "data-key": "add",
      });
      replaceKeepingFocus(list, [...chips, ...without, ...asked(store, state.draft), more]);
      showWarnings(state.brief?.warnings ?? []);
    }),
  );
}

/**
 * Replace the chips; the focus stays on the chip of the same answer.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} chips
 */
function replaceKeepingFocus(list, chips) {
  const focused = document.activeElement;
  const key = focused instanceof HTMLElement && list.contains(focused) ? focused.dataset["key"] : undefined;
  list.replaceChildren(...chips.map((one) => element("li", {}, one)));
  if (key !== undefined) chips.find((one) => one.dataset["key"] === key)?.focus();
}

/**
 * @param {Store} store
 * @param {Answer} answer
 */
function chip(store, answer) {
  const { field, value, source, is_locked: isLocked } = answer;
  const isGuess = source !== "words" && source !== "setting";
  const sign = isLocked ? icon("lock") : source === "chance" ? icon("dice") : null;
  const label = element("span", { class: "sr" }, `${LABELS[field]}: `);
  const kind = isLocked ? "locked" : isOfTheBand(answer) ? "guess band" : isGuess ? "guess" : "";
  return button(
    `chip ${kind}`,
    [...(sign ? [sign] : []), label, answer.label],
    (event) => explain(store, answer, openerOf(event)),
    {
      title: reasonOf(answer),
      "aria-haspopup": "dialog",
      "data-key": field === "instruments" ? `${field}:${value}` : field,
    },
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
 * What is asked for as in the piece that the draft comes from; pressed, no more.
 *
 * @param {Store} store
 * @param {Draft} draft
 */
function asked(store, draft) {
  const words = askedInWords(draft.more);
  const press = () => edit(store, (now) => ({ ...now, more: {} }));
  return words ? [button("chip out", [icon("close"), words], press, { "aria-label": `${words}; press to leave it out` })] : [];
}

/**
 * @param {Store} store
 * @param {Answer} answer
 * @param {HTMLElement} opener
 */
function explain(store, answer, opener) {
  const { field, value, label, source, spans, is_locked: isLocked } = answer;
  const fixes = fixedBy(answer);
  const act = (/** @type {string} */ text, /** @type {(draft: Draft) => Draft} */ change) =>
    button("plain", text, () => {
      edit(store, change);
      closePopover();
    });
  const name = LABELS[field] ?? "";
  openPopover(opener, `${name}: ${label}`, [
    element("p", { class: "kind" }, `${name}, ${ORIGINS[source]}`),
    element("h3", {}, label),
    element("p", {}, `${reasonOf(answer)}${fixes ? "" : " To change it, change the words."}`),
    element(
      "div",
      { class: "row" },
      fixes ? button("plain", "Change…", () => change(store, fixes, opener, answer)) : null,
      fixes && !isLocked ? act("Lock", (draft) => decide(draft, fixes, value)) : null,
      fixes && isLocked ? act("Unlock", (draft) => release(draft, fixes, value)) : null,
      fixes === "instruments"
        ? act("Leave out", (draft) => withoutInstrument(release(draft, fixes, value), String(value)))
        : null,
      fixes !== "instruments" && spans.length
        ? act("Leave out", (draft) => ({ ...draft, prompt: withoutSpans(draft.prompt, spans) }))
        : null,
    ),
  ]);
}

/**
 * Return why an answer is what it is, as a sentence.
 *
 * @param {Answer} answer
 */
function reasonOf({ reason, source }) {
  return `${capital(quoted(reason))}${source === "chance" ? "; another with each seed" : ""}.`;
}

/**
 * Ask for another answer to a field: one of the alternatives, or any other.
 *
 * @param {Store} store
 * @param {FixedField} field
 * @param {HTMLElement} opener
 * @param {Answer} [before] the answer that it replaces
 */
function change(store, field, opener, before) {
  const { name, example } = CHOICES[field];
  const use = (/** @type {unknown} */ value) => {
    edit(store, (draft) => decide(before ? release(draft, field, before.value) : draft, field, value));
    closePopover();
  };
  const box = element("input", {
    attributes: { id: "choice", placeholder: example, autocomplete: "off", required: true },
  });
  if (field === "tempo_bpm") Object.assign(box, { type: "number", min: "20", max: "300", step: "any" });
  const take = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (box.value.trim()) use(box.value.trim());
  };
  const alternatives = (before?.alternatives ?? []).map((one) => button("chip", one.label, () => use(one.value)));
  openPopover(opener, name, [
    element(
      "form",
      { class: "choice", on: { submit: take } },
      element("label", { attributes: { for: "choice" } }, name),
      box,
      element("button", { class: "plain strong", attributes: { type: "submit" } }, "Use it"),
    ),
    alternatives.length
      ? element("div", { class: "others", attributes: { role: "group", "aria-label": "Or one of these" } }, ...alternatives)
      : null,
  ]);
}

/**
 * @param {Store} store
 * @param {HTMLElement} opener
 */
function addAnswer(store, opener) {
  openPopover(opener, "Add a wish", [
    element(
      "div",
      { class: "menu" },
      ...FIXED.map((field) => button("", `${CHOICES[field].name.split(",")[0]}…`, () => change(store, field, opener))),
    ),
  ]);
}

/**
 * @param {Draft} draft
 * @param {string} name
 * @returns {Draft}
 */
function withoutInstrument(draft, name) {
  return { ...draft, without: [...draft.without.filter((one) => one !== name), name] };
}

/**
 * @param {Store} store
 * @param {(draft: Draft) => Draft} change
 */
function edit(store, change) {
  store.changeDraft(change(store.state.draft));
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
