/** The options below the prompt, the button that makes the takes, and what is wrong with what was asked. */

import { button, byId, element, icon } from "./dom.js";
import { onBars } from "./hits.js";
import { beatAt } from "./meter.js";
import { isInBars } from "./request.js";
import { Store } from "./store.js";
import { counted, named } from "./words.js";

/** @typedef {import("./types.js").Draft} Draft */

/**
 * @param {Store} store
 * @param {() => void} make
 */
export function showOptions(store, make) {
  const fields = {
    model: byId("model", HTMLSelectElement),
    form: byId("form", HTMLSelectElement),
    length: byId("length", HTMLInputElement),
    takes: byId("count", HTMLSelectElement),
    seed: byId("seed", HTMLInputElement),
  };
  for (const [name, field] of Object.entries(fields)) {
    field.addEventListener("input", () =>
      store.changeDraft({ [name]: name === "takes" ? Number(field.value) : field.value }),
    );
  }
  fields.model.addEventListener("input", () => {
    // Bars need a tempo, which only the composer has of itself.
    const { model, length } = store.state.draft;
    if (model !== "composer" && isInBars(length)) store.changeDraft({ length: "" });
  });
  byId("ask", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    make();
  });
  const summary = byId("summary");
  const fold = (/** @type {boolean} */ isOpen) =>
    summary.setAttribute("aria-expanded", String(byId("options").toggleAttribute("data-open", isOpen)));
  summary.addEventListener("click", () => fold(!byId("options").hasAttribute("data-open")));
  // On a phone they would hide what is made.
  store.watch(
    (state) => [state.takes.length > 0],
    (state) => state.takes.length && fold(false),
  );
  store.watch(
    (state) => [state.models, state.draft.model],
    ({ models, draft }) => {
      const names = new Set(["composer", draft.model, ...models.filter((one) => one.installed).map((one) => one.name)]);
      fields.model.replaceChildren(
        ...[...names].map((name) => new Option(name === "composer" ? "Composer" : name, name)),
      );
      fields.model.value = draft.model;
      fields.form.closest("label")?.toggleAttribute("hidden", draft.model !== "composer");
    },
  );
  store.watch(
    (state) => [state.draft],
    ({ draft }) => {
      for (const [name, field] of Object.entries(fields)) {
        const value = String(draft[/** @type {keyof Draft} */ (name)]);
        if (field.value !== value) field.value = value;
      }
      byId("make-label").textContent = draft.takes === 1 ? "Make it" : `Make ${counted(draft.takes, "take")}`;
      const form = draft.model === "composer" ? named(draft.form).toLowerCase() : draft.model;
      byId("summary-text").textContent = [draft.length || "usual length", form, counted(draft.takes, "take")].join(
        ", ",
      );
    },
  );
  showProblem(store, fields.length);
}

/**
 * @param {Store} store
 * @param {HTMLInputElement} length
 */
function showProblem(store, length) {
  store.watch(
    (state) => [state.askProblem],
    ({ askProblem }) => {
      const place = byId("ask-problem");
      place.hidden = askProblem === null;
      const isLength = askProblem?.field === "duration" || askProblem?.field === "bars";
      length.setAttribute("aria-invalid", String(isLength));
      if (!askProblem) return;
      const limit = /at (?:most|least) ([\d:]+)/.exec(askProblem.title)?.[1];
      const fix = isLength && limit ? `${limit}${askProblem.field === "bars" ? " bars" : ""}` : null;
      place.replaceChildren(
        icon("warn"),
        element("span", {}, element("b", {}, `${askProblem.title}.`), ` ${askProblem.advice}`),
      );
      if (fix) place.append(button("plain", `Use ${fix}`, () => store.changeDraft({ length: fix })));
      // A tempo of one's own leaves hits only the bars.
      const at = beatAt(0, store.state);
      if (askProblem.field === "hits" && at) {
        const move = () => store.changeDraft({ hits: onBars(store.state.draft.hits, at.barSeconds) });
        place.append(button("plain", "Move hits to bars", move));
      }
    },
  );
}
