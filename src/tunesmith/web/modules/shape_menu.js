/** The shapes that a take can be given: edits of any sound, and what the installed models make of one. */

import { button, element } from "./dom.js";
import { isComposed } from "./facts.js";
import { closePopover, menuItem, openPopover } from "./popover.js";
import { tenths } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./types.js").State} State
 *
 * @typedef {object} ShapeActions
 * @property {(edit: "fit" | "loop" | "normalize", settings: Record<string, string | number>, words: string) => void} edit
 * @property {(fields: Record<string, unknown>) => void} remake ask a model, with the take as a recording
 * @property {() => void} join
 * @property {() => void} hit put a hit point at the playhead
 * @property {() => void} video choose a video to play with it
 *
 * @typedef {object} Ability what a model does with a recording
 * @property {string} label
 * @property {string} title
 * @property {string} note
 * @property {"audio" | "melody"} field of the request that takes the recording
 * @property {string} [box] what is asked besides the words
 */

/** @type {Record<string, Ability>} */
const ABILITIES = {
  continue: { label: "Go on from here…", title: "Go on", note: "The model continues the take.", field: "audio", box: "Seconds more" },
  repaint: { label: "Make a stretch anew…", title: "Make a stretch anew", note: "The looped stretch is made anew, the rest stays.", field: "audio" },
  redress: { label: "In another sound…", title: "In another sound", note: "How much is made anew, from 0 to 1.", field: "audio", box: "Strength" },
  melody: { label: "Follow its melody…", title: "Follow its melody", note: "The model plays the melody in its own way.", field: "melody" },
}; // prettier-ignore

/**
 * Return the items of the menu.
 *
 * @param {Take} take
 * @param {State} state
 * @param {HTMLElement} opener
 * @param {ShapeActions} actions
 */
export function shapeItems(take, state, opener, actions) {
  const edits = [
    button("", "Fit to a length…", () => askLength(take, opener, actions)),
    menuItem("Make it a loop", () => actions.edit("loop", {}, "as a loop")),
    button("", "Set its loudness…", () => askLoudness(opener, actions)),
    menuItem("Join with others…", actions.join),
    menuItem("Play a video with it…", actions.video),
  ];
  if (isComposed(take)) edits.unshift(menuItem("Hit point here", actions.hit));
  const models = state.models.filter((model) => model.installed);
  const remakes = Object.entries(ABILITIES).flatMap(([ability, how]) => {
    const able = models.filter((model) => model.abilities?.includes(ability)).map((model) => model.name);
    return able.length ? [button("", how.label, () => askModel(take, state, opener, actions, ability, able))] : [];
  });
  return [...edits, ...remakes];
}

/**
 * @param {Take} take
 * @param {HTMLElement} opener
 * @param {ShapeActions} actions
 */
function askLength({ facts }, opener, actions) {
  ask(opener, {
    title: "Fit to a length",
    note: "Bars are removed or repeated where it is least noticeable.",
    label: `Length; it has ${tenths(facts?.duration ?? 0)}`,
    attributes: { placeholder: "0:30", pattern: "[0-9:.]+", required: true },
    then: (text) => actions.edit("fit", { duration: text }, `fitted to ${text}`),
  });
}

/**
 * @param {HTMLElement} opener
 * @param {ShapeActions} actions
 */
function askLoudness(opener, actions) {
  ask(opener, {
    title: "Set its loudness",
    note: "By gain alone, as far as the peaks allow. Games often want -16, broadcasts -23, streaming -14.",
    label: "Loudness in LUFS",
    attributes: { type: "number", min: -40, max: -5, step: 0.5, value: -16, required: true },
    then: (text) => actions.edit("normalize", { loudness_lufs: Number(text) }, `at ${text} LUFS`),
  });
}

/**
 * @param {Take} take
 * @param {State} state
 * @param {HTMLElement} opener
 * @param {ShapeActions} actions
 * @param {string} ability
 * @param {string[]} models those that can
 */
function askModel(take, state, opener, actions, ability, models) {
  const how = ABILITIES[ability];
  if (!how) return;
  const words = element("input", {
    attributes: { id: "remake", value: state.draft.prompt || String(take.request.prompt ?? ""), required: true },
  });
  const model = element("select", { attributes: { id: "remake-model" } }, ...models.map((name) => new Option(name)));
  const number = element("input", {
    attributes: { id: "remake-number", type: "number", step: "any", min: 0, value: how.box === "Strength" ? 0.6 : 30 },
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const duration = take.facts?.duration ?? 0;
    const { start, end } = state.region ?? { start: 0, end: duration };
    const more = {
      // A length is that of the whole, what it goes on from included.
      continue: { duration: duration + Number(number.value) },
      redress: { strength: Number(number.value), duration },
      repaint: { repaint: `${start.toFixed(2)}-${end.toFixed(2)}` },
      melody: { duration },
    }[ability];
    closePopover();
    actions.remake({ prompt: words.value, model: model.value, recording: how.field, ...more });
  };
  openPopover(opener, how.title, [
    element("h3", {}, how.title),
    element("p", {}, how.note),
    element(
      "form",
      { class: "choice stacked", on: { submit } },
      element("label", { attributes: { for: "remake" } }, "In words"),
      words,
      element("label", { attributes: { for: "remake-model" } }, "Model"),
      model,
      ...(how.box ? [element("label", { attributes: { for: "remake-number" } }, how.box), number] : []),
      element("button", { class: "plain strong", attributes: { type: "submit" } }, "Make it"),
    ),
  ]);
}

/**
 * Ask for one value.
 *
 * @param {HTMLElement} opener
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.note
 * @param {string} question.label
 * @param {Record<string, string | number | boolean>} question.attributes of the box
 * @param {(text: string) => void} question.then
 */
function ask(opener, { title, note, label, attributes, then }) {
  const box = element("input", { attributes: { id: "shape", autocomplete: "off", ...attributes } });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    closePopover();
    then(box.value.trim());
  };
  openPopover(opener, title, [
    element("h3", {}, title),
    element("p", {}, note),
    element(
      "form",
      { class: "choice", on: { submit } },
      element("label", { attributes: { for: "shape" } }, label),
      box,
      element("button", { class: "plain strong", attributes: { type: "submit" } }, "Make it"),
    ),
  ]);
}
