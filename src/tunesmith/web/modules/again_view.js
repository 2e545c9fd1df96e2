/** "Again with this changed": each setting of a take is a word that offers the take with another; the seed stays. */

import { button, element } from "./dom.js";
import { isComposed } from "./facts.js";
import { closePopover, menuItem, openPopover } from "./popover.js";
import { formOf, lengthOf } from "./request.js";
import { clock, counted, keyName } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").Facts} Facts
 *
 * @typedef {Record<string, unknown>} Fields of a request; undefined leaves one out
 *
 * @typedef {object} Setting
 * @property {string} name
 * @property {string} shown
 * @property {string} value what the box begins with
 * @property {string} hint
 * @property {(text: string) => Fields} ask the fields that ask for another value
 * @property {string[]} [choices]
 */

const FORMS = ["loop", "track", "sting", "bumper", "bed"];

/**
 * Return the settings of a take as words to press.
 *
 * @param {Take} take
 * @param {Facts} facts
 * @param {(take: Take, fields: Fields) => void} again make the take again, with these fields changed
 */
export function settingWords(take, facts, again) {
  // A sound without a request can only be edited.
  if (take.isLocal) return [element("span", {}, clock(facts.duration)), ...(facts.isLoop ? [element("span", {}, "loop")] : [])];
  return settingsOf(take, facts).map((setting) =>
    button(
      "word",
      setting.shown,
      (event) => openSetting(/** @type {HTMLElement} */ (event.currentTarget), setting, (fields) => again(take, fields)),
      { "aria-haspopup": "dialog", "aria-label": `${setting.shown}, again with another ${setting.name}` },
    ),
  );
}

/**
 * @param {Take} take
 * @param {Facts} facts
 * @returns {Setting[]}
 */
function settingsOf(take, { key, tempoBpm, meter, bars, isLoop, seed, duration }) {
  const form = isLoop ? "loop" : String(take.request.form ?? "track");
  const tempo = tempoBpm && Math.round(tempoBpm * 10) / 10;
  /** @type {(Setting | null)[]} */
  const all = [
    key ? text("key", keyName(key), key, "D minor", (given) => ({ key: given })) : null,
    tempo ? text("tempo", `${tempo} bpm`, String(tempo), "96", (given) => ({ tempo_bpm: given.replace(/\s*bpm$/i, "") })) : null,
    meter ? text("meter", meter, meter, "3/4", (given) => ({ meter: given })) : null,
    bars
      ? text("length", counted(bars, "bar"), counted(bars, "bar"), "16 bars, or 0:30", lengthFields)
      : text("length", clock(duration), clock(duration), "0:30", lengthFields),
    isComposed(take)
      ? {
          ...text("form", form, form, "", (given) => ({ loop: undefined, form: undefined, ...formOf(given) })),
          choices: FORMS.filter((one) => one !== form),
        }
      : null,
    seed === null ? null : text("seed", `seed ${seed}`, String(seed), "12", (given) => ({ seed: Number(given), score_edits: undefined })),
  ];
  return all.flatMap((one) => (one ? [one] : []));
}

/**
 * @param {string} name
 * @param {string} shown
 * @param {string} value
 * @param {string} hint
 * @param {(text: string) => Fields} ask
 * @returns {Setting}
 */
function text(name, shown, value, hint, ask) {
  return { name, shown, value, hint, ask };
}

/** @param {string} given @returns {Fields} */
function lengthFields(given) {
  return { bars: undefined, duration: undefined, ...lengthOf(given) };
}

/**
 * @param {HTMLElement} opener
 * @param {Setting} setting
 * @param {(fields: Fields) => void} again
 */
function openSetting(opener, setting, again) {
  const title = `Again with another ${setting.name}`;
  const head = [element("h3", {}, title), element("p", {}, "All else stays, also the seed.")];
  if (setting.choices) {
    const choices = setting.choices.map((one) => menuItem(one, () => again(setting.ask(one))));
    return openPopover(opener, title, [...head, element("div", { class: "menu" }, ...choices)]);
  }
  const isNumber = setting.name === "seed" || setting.name === "tempo";
  const box = element("input", {
    attributes: {
      id: "again", value: setting.value, placeholder: setting.hint, autocomplete: "off", required: true,
      ...(isNumber ? { inputmode: "decimal" } : {}), ...(setting.name === "seed" ? { pattern: "[0-9]{1,15}" } : {}),
    }, // prettier-ignore
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const value = box.value.trim();
    if (!value) return;
    closePopover();
    again(setting.ask(value));
  };
  openPopover(opener, title, [
    ...head,
    element(
      "form",
      { class: "choice", on: { submit } },
      element("label", { class: "sr", attributes: { for: "again" } }, setting.name),
      box,
      element("button", { class: "plain strong", attributes: { type: "submit" } }, "Make it"),
    ),
  ]);
  box.select();
}
