/** The settings of a model other than the composer: the fields of a request that it takes, as the server says. */

import { byId, element } from "./dom.js";
import { SETTINGS_IN_WORDS } from "./request.js";
import { Store } from "./store.js";

/** @typedef {import("./types.js").Model["fields"][number]} Field */

/** @param {Store} store */
export function showSettings(store) {
  const place = byId("settings");
  store.watch(
    (state) => [modelOf(state)?.fields, state.draft.model],
    (state) => {
      const shown = (modelOf(state)?.fields ?? []).filter(({ name }) => name in SETTINGS_IN_WORDS);
      place.replaceChildren(...shown.map((field) => settingOf(field, store)));
      place.hidden = !shown.length;
    },
  );
  store.watch(
    ({ draft, models, askProblem }) => [draft.settings, draft.model, models, askProblem],
    ({ draft, askProblem }) => {
      const given = draft.settings[draft.model] ?? {};
      for (const box of place.querySelectorAll("input")) {
        const value = given[box.name] ?? "";
        box.setAttribute("aria-invalid", String(askProblem?.field === box.name));
        if (box.type === "checkbox") box.checked = value === true;
        else if (box.value !== value) box.value = String(value);
      }
    },
  );
}

/** @param {import("./types.js").State} state */
function modelOf({ models, draft }) {
  return models.find(({ name }) => name === draft.model);
}

/**
 * @param {Field} field
 * @param {Store} store
 */
function settingOf({ name, type, minimum, maximum }, store) {
  const isFlag = type === "boolean";
  const isNumber = type === "number" || type === "integer";
  const kind = isFlag ? "checkbox" : isNumber ? "number" : "text";
  const box = element("input", { attributes: { name, type: kind, autocomplete: "off" } });
  if (!isFlag) box.placeholder = isNumber ? "usual" : "nothing";
  if (isNumber) Object.assign(box, { min: minimum ?? "", max: maximum ?? "", step: type === "integer" ? "1" : "any" });
  box.addEventListener("input", () => {
    const { settings, model } = store.state.draft;
    const given = { ...settings[model], [name]: isFlag ? box.checked : box.value };
    store.changeDraft({ settings: { ...settings, [model]: given } });
  });
  const word = SETTINGS_IN_WORDS[/** @type {keyof typeof SETTINGS_IN_WORDS} */ (name)];
  return element("label", { class: `field ${isFlag ? "flag" : isNumber ? "tiny" : "short"}` }, element("span", {}, word), box);
}
