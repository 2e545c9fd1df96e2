/** The foot of the stage: the take's licence, beside its downloads, and the same as a program. */

import { button, byId, element, icon, replaceKeepingFocus } from "./dom.js";
import { FORMATS } from "./downloads.js";
import { isComposed } from "./facts.js";
import { menuItem, openPopover } from "./popover.js";
import { megabytes } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./stage_view.js").StageActions} StageActions
 */

const FILES = {
  stems: { label: "Stems", what: "Each part as a WAV of the same length, before mastering, in a ZIP" },
  midi: { label: "MIDI", what: "The notes, for a sequencer" },
  "score.yaml": { label: "Score", what: "The score as text, to edit and render again" },
};
const OF_LOOPS = "Loops stay exact to the sample in WAV, FLAC and Ogg. In most engines MP3 has silence at both ends.";

const WARNINGS = {
  "below-revenue-limit": "Commercial use has a revenue limit: ",
  forbidden: "Not for commercial use: ",
  unknown: "Commercial use is unknown: ",
};

/**
 * @param {Take} take
 * @param {StageActions} actions
 */
export function showFoot(take, actions) {
  const made = take.facts?.generateSeconds ? `Made in ${take.facts.generateSeconds.toFixed(1)} s` : "";
  byId("licence").replaceChildren(...licenceOf(take, made));
  const disabled = !take.track && !take.isLocal;
  const file = (/** @type {keyof typeof FILES} */ kind) =>
    button("plain", FILES[kind].label, () => actions.download(take, kind), { disabled, title: FILES[kind].what });
  replaceKeepingFocus(byId("downloads"), [
    button("plain strong first", [icon("save"), "WAV"], () => actions.download(take, "audio", "wav"), {
      disabled,
      id: "download",
      title: take.facts?.isLoop ? "The loop, exact to the sample: its end goes on into its start" : "The piece as a file",
      "aria-keyshortcuts": "D",
    }),
    button("plain icon last", [icon("down")], (event) => openFormats(event, take, actions), {
      disabled,
      "aria-label": "Another format",
      "aria-haspopup": "dialog",
    }),
    ...(isComposed(take) ? [file("stems"), file("midi"), file("score.yaml")] : []),
    button("plain", [icon("code"), "Use it"], () => actions.use(take), {
      disabled: !take.facts || take.isLocal,
      "aria-haspopup": "dialog",
    }),
  ]);
}

/**
 * @param {Take} take
 * @param {string} below what is said when the licence wants no attribution
 */
function licenceOf({ facts }, below) {
  const licence = facts?.licence;
  const isFree = !licence || licence.commercialUse === true;
  // The licence's own words say how it was made.
  const text = licence?.text.replace(/ \(.*\)$/, "") ?? "Downloads open when it is finished";
  const lead = isFree ? "" : (WARNINGS[/** @type {keyof typeof WARNINGS} */ (licence.terms)] ?? "");
  return [
    icon(isFree ? "check" : "warn", isFree ? "" : "bad"),
    element("span", {}, lead + text, element("small", {}, licence?.attribution ?? below)),
  ];
}

/**
 * @param {MouseEvent} event
 * @param {Take} take
 * @param {StageActions} actions
 */
function openFormats(event, take, actions) {
  const seconds = take.facts?.duration ?? 0;
  const items = FORMATS.map(({ format, name, bytes }) =>
    menuItem([name, element("small", {}, `about ${megabytes(seconds * bytes)}`)], () =>
      actions.download(take, "audio", format),
    ),
  );
  openPopover(/** @type {HTMLElement} */ (event.currentTarget), "Download", [
    element("div", { class: "menu formats" }, ...items),
    take.facts?.isLoop ? element("p", {}, OF_LOOPS) : null,
    element("p", { class: "licence" }, ...licenceOf(take, "")),
  ]);
}
