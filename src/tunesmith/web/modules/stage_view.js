/** The stage: the head of the take that is heard, what went wrong with it, and its licence beside the downloads. */

import { shapeOf } from "./facts.js";
import { showFoot } from "./foot_view.js";
import { settingWords } from "./again_view.js";
import { button, byId, element, icon, replaceKeepingFocus, unlessPressed } from "./dom.js";
import { copyText } from "./copying.js";
import { isBeingMade } from "./generation.js";
import { letterOf, Store, takeOf } from "./store.js";
import { openPopover } from "./popover.js";
import { NOT_MADE } from "./problems.js";
import { capital, counted, named, titleOf } from "./words.js";

/**
 * @typedef {import("./types.js").Take} Take
 *
 * @typedef {object} StageActions
 * @property {(take: Take) => void} cancel
 * @property {(take: Take) => void} again
 * @property {(take: Take) => void} vary
 * @property {(take: Take, fields: Record<string, unknown>) => void} changed make it again with fields changed
 * @property {(take: Take, opener: HTMLElement) => void} like what variations keep, and what varies what
 * @property {(take: Take) => void} star
 * @property {(take: Take, opener: HTMLElement) => void} more
 * @property {(take: Take, kind: "audio" | "stems" | "midi" | "score.yaml", format?: string) => void} download
 * @property {(take: Take) => void} use show it as a program
 */

/**
 * @param {Store} store
 * @param {StageActions} actions
 */
export function showStage(store, actions) {
  store.watch(
    (state) => [takeOf(state), state.locks],
    unlessPressed(byId("stage"), (state) => {
      const take = takeOf(state);
      byId("stage").hidden = byId("transport").hidden = !take;
      byId("blank").hidden = take !== undefined;
      if (!take) return;
      const isFailed = take.state === "failed";
      for (const part of [byId("head"), byId("score"), byId("foot")]) part.hidden = isFailed;
      byId("sorry").hidden = !isFailed;
      if (isFailed) return showFailure(take, letterOf(state.takes.indexOf(take)), state.takes.length > 1, actions);
      showHead(take, state.locks, actions);
      showFoot(take, actions);
    }),
  );
}

/**
 * @param {Take} take
 * @param {string[]} locks what variations keep
 * @param {StageActions} actions
 */
function showHead(take, locks, actions) {
  const { facts, isStarred } = take;
  byId("title").textContent = shapeOf(take)?.title ?? titleOf(String(take.request.prompt ?? ""));
  const settings = facts ? settingWords(take, facts, actions.changed) : [makingOf(take)];
  byId("meta").replaceChildren(...settings, ...(take.written?.isExact === false ? [inexact()] : []));
  const acts = isBeingMade(take)
    ? [button("plain", [icon("close"), "Cancel"], () => actions.cancel(take), { "aria-keyshortcuts": "Escape" })]
    : [
        button("quiet icon star", [icon("star")], () => actions.star(take), {
          id: "star",
          "aria-pressed": isStarred,
          "aria-label": "Star",
          "aria-keyshortcuts": "F",
          disabled: !take.track,
        }),
        button(
          "quiet icon",
          [icon("dots")],
          (event) => actions.more(take, /** @type {HTMLElement} */ (event.currentTarget)),
          { id: "dots", "aria-label": "Rate, tag, reshape", "aria-haspopup": "dialog", disabled: !take.track && !take.isLocal },
        ),
        button("plain vary", [icon(locks.length ? "lock" : "branch"), "Vary"], () => actions.vary(take), {
          id: "vary",
          ...(locks.length ? { "aria-label": `Vary, keeping ${locks.join(", ")}` } : {}),
          "aria-keyshortcuts": "V",
          disabled: !take.track,
        }),
        button(
          "quiet icon likes",
          [icon("down")],
          (event) => actions.like(take, /** @type {HTMLElement} */ (event.currentTarget)),
          {
            id: "like",
            "data-key": "like",
            "aria-label": "What variations keep, and the tree of them",
            "aria-haspopup": "dialog",
            disabled: !take.track,
          },
        ),
      ];
  replaceKeepingFocus(byId("acts"), acts);
}

/** A mark at notes that are drawn by another version than made the sound. */
function inexact() {
  const title = "Notes may differ";
  const why = "Another version of Tunesmith made this sound. This one has written the notes again to draw them.";
  const open = (/** @type {MouseEvent} */ event) =>
    openPopover(/** @type {HTMLElement} */ (event.currentTarget), title, [element("h3", {}, title), element("p", {}, why)]);
  return button("word inexact", [icon("warn"), title], open, { "aria-haspopup": "dialog" });
}

/** @param {Take} take */
function makingOf({ state, stage, progress, position, etaSeconds, waitSeconds }) {
  if (state === "sending" && waitSeconds) {
    const when = `sent again in ${waitSeconds} s`;
    return element("span", { class: "making" }, element("b", {}, capital(stage)), when);
  }
  if (state === "sending") return element("span", { class: "making" }, element("b", {}, named(stage || "sending")));
  if (state === "queued") {
    const ahead = position && position > 1 ? `${counted(position - 1, "piece")} before it` : "next in the queue";
    return element("span", { class: "making" }, element("b", {}, "Waiting"), ahead);
  }
  const what =
    state === "loading" ? "Loading the model" : `${named(stage || "working")} ${Math.round(progress * 100)} %`;
  const left = etaSeconds ? `${etaSeconds.toFixed(1)} s left` : "";
  return element("span", { class: "making" }, element("b", {}, what), left);
}

/**
 * @param {Take} take
 * @param {string} letter
 * @param {boolean} hasOthers
 * @param {StageActions} actions
 */
function showFailure(take, letter, hasOthers, actions) {
  const { title, advice } = take.problem ?? { title: NOT_MADE, advice: "" };
  const details = JSON.stringify({ problem: take.problem, job: take.job, request: take.request }, null, 2);
  const copied = element("span", { attributes: { role: "status" } });
  const place = element("pre", { attributes: { hidden: true } }, details);
  byId("sorry").replaceChildren(
    element("h2", {}, icon("warn"), title === NOT_MADE ? `Take ${letter} could not be made` : title),
    element("p", {}, hasOthers ? `${advice} The other takes are safe.` : advice),
    element(
      "div",
      { class: "row" },
      button("plain strong", "Try again", () => actions.again(take)),
      button("plain", "Copy details", () => void copyText(details, copied, place)),
      button("plain", "Remove", () => actions.cancel(take)),
      copied,
    ),
    place,
    ...(take.job ? [element("p", { class: "request" }, `Job ${take.job}`)] : []),
  );
}
