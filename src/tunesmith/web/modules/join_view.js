/** Joining: a sequence of takes, put in order by dragging or with keys, becomes one sound. */

import { button, byId, element, icon } from "./dom.js";
import { factsOfTrack } from "./facts.js";
import { newTake } from "./new_take.js";
import { letterOf, shelved, Store } from "./store.js";
import { tenths, titleOf } from "./words.js";

/** @typedef {import("./types.js").Take} Take */

const FEWEST = 2;

/**
 * Ask for the order of takes, beginning with one of them.
 *
 * @param {Store} store
 * @param {Take} first
 * @param {(takes: Take[]) => void} join
 */
export function openJoin(store, first, join) {
  const dialog = byId("join", HTMLDialogElement);
  /** @type {Take[]} */
  let sequence = [first];
  const takes = store.state.takes.filter((take) => take.facts && (take.track || take.isLocal));
  const nameOf = (/** @type {Take} */ take) => {
    const at = store.state.takes.indexOf(take);
    return `${at < 0 ? "" : `${letterOf(at)}, `}${take.facts?.title ?? ""}, ${tenths(take.facts?.duration ?? 0)}`;
  };

  /** @param {Take[]} next @param {number} [focused] */
  const change = (next, focused) => {
    sequence = next;
    const rows = sequence.map((take, at) => row(take, at));
    byId("sequence").replaceChildren(...rows);
    if (focused !== undefined) rows[focused]?.querySelector("button")?.focus();
    byId("join-now", HTMLButtonElement).disabled = sequence.length < FEWEST;
  };
  /** @param {number} from @param {number} to */
  const move = (from, to) => {
    const next = [...sequence];
    const [moved] = next.splice(from, 1);
    if (moved && to >= 0 && to <= next.length) change([...next.slice(0, to), moved, ...next.slice(to)], to);
  };
  /** @param {Take} take @param {number} at */
  const row = (take, at) => {
    const name = nameOf(take);
    const step = (/** @type {string} */ sign, /** @type {string} */ word, /** @type {number} */ by) =>
      button("quiet icon", [icon(sign)], () => move(at, at + by), {
        "aria-label": `${name}: ${word}`,
        disabled: at + by < 0 || at + by >= sequence.length,
      });
    return element(
      "li",
      {
        attributes: { draggable: "true" },
        on: {
          dragstart: (event) => event.dataTransfer.setData("text/plain", String(at)),
          dragover: (event) => event.preventDefault(),
          drop: (event) => {
            event.preventDefault();
            move(Number(event.dataTransfer.getData("text/plain")), at);
          },
        },
      },
      element("span", {}, `${at + 1}. ${name}`),
      step("up", "earlier", -1),
      step("down", "later", 1),
      button("quiet icon", [icon("close")], () => change(sequence.filter((_, one) => one !== at)), {
        "aria-label": `${name}: leave out`,
      }),
    );
  };
  byId("join-choices").replaceChildren(
    ...takes.map((take) => button("plain", `+ ${nameOf(take)}`, () => change([...sequence, take]))),
    ...fromLibrary(shelved(store.state), (take) => change([...sequence, take])),
  );
  byId("join-now").onclick = () => {
    dialog.close();
    join(sequence);
  };
  change(sequence);
  dialog.showModal();
}

/**
 * Return a choice among the pieces that the library lists.
 *
 * @param {import("./types.js").Track[]} tracks
 * @param {(take: Take) => void} add
 */
function fromLibrary(tracks, add) {
  const kept = tracks.filter((track) => track.audio !== null);
  if (!kept.length) return [];
  const options = kept.map((track, at) => new Option(`${titleOf(track.prompt)}, ${tenths(track.duration)}`, String(at)));
  const choice = element(
    "select",
    {
      class: "plain",
      attributes: { "aria-label": "Add a piece of the library" },
      on: {
        change: () => {
          const track = kept[Number(choice.value)];
          if (track) add(newTake(track.request, { track: track.id, facts: factsOfTrack(track) }));
          choice.selectedIndex = 0;
        },
      },
    },
    new Option("From the library…", ""),
    ...options,
  );
  return [choice];
}
