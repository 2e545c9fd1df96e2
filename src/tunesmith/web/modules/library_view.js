/** The library in the side panel: search, filters, and a row for each track. */

import { button, byId, element, icon, setAttributes } from "./dom.js";
import { asTree } from "./library.js";
import { Store, takeOf } from "./store.js";
import { capital, clock, counted, titleOf } from "./words.js";

/** @typedef {import("./types.js").Track} Track */

const SEARCH_PAUSE_MS = 200;
const FILTERS = /** @type {const} */ (["all", "starred", "loops"]);

/**
 * @param {Store} store
 * @param {import("./library.js").Library} library
 * @param {(track: Track) => void} open
 */
export function showLibrary(store, library, open) {
  const search = byId("search", HTMLInputElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(
      () => store.change({ query: { ...store.state.query, search: search.value.trim() } }),
      SEARCH_PAUSE_MS,
    );
  });
  for (const filter of FILTERS) {
    byId(`filter-${filter}`).addEventListener("click", () => store.change({ query: { ...store.state.query, filter } }));
  }
  byId("more-tracks").addEventListener("click", () => void library.more());
  store.watch(
    (state) => [state.query],
    ({ query }) => {
      for (const filter of FILTERS)
        setAttributes(byId(`filter-${filter}`), { "aria-pressed": query.filter === filter });
    },
  );
  store.watch(
    (state) => [state.tracks, state.query, takeOf(state)?.track, state.hasMoreTracks],
    (state) => {
      const isLoops = state.query.filter === "loops";
      const listed = state.tracks.filter((track) => !isLoops || track.request.loop === true);
      const current = takeOf(state)?.track;
      const rows = asTree(listed).map(({ track, isChild }) => rowOf(track, isChild, track.id === current, open));
      byId("rows").replaceChildren(...rows);
      byId("more-tracks").hidden = !state.hasMoreTracks;
      byId("count-note").textContent = noteOf(listed.length, state.hasMoreTracks, state.query);
    },
  );
}

/**
 * @param {Track} track
 * @param {boolean} isChild
 * @param {boolean} isCurrent
 * @param {(track: Track) => void} open
 */
function rowOf(track, isChild, isCurrent, open) {
  const loop = track.request.loop ? " loop" : "";
  const seed = track.seed === null ? "" : `seed ${track.seed}`;
  const about = [`${clock(track.duration)}${loop}`, isChild ? "" : seed, "★".repeat(track.rating ?? 0), ...track.tags];
  const text = element(
    "span",
    {},
    element("b", {}, isChild && seed ? capital(seed) : titleOf(track.prompt)),
    element("small", {}, about.filter(Boolean).join(" · ")),
  );
  const star = track.starred ? [icon("star", "on"), element("span", { class: "sr" }, "starred")] : [];
  const isGone = track.audio === null;
  const attributes = {
    ...(isCurrent ? { "aria-current": "true" } : {}),
    title: isGone ? "Its file is no longer kept; it can be made again" : track.prompt,
  };
  return element(
    "li",
    {},
    button(
      `row-item ${isChild ? "child" : ""} ${isGone ? "gone" : ""}`,
      [text, ...star],
      () => open(track),
      attributes,
    ),
  );
}

/**
 * @param {number} number
 * @param {boolean} hasMore
 * @param {import("./types.js").LibraryQuery} query
 */
function noteOf(number, hasMore, { search, filter }) {
  if (number) return hasMore ? `The newest ${number} pieces` : counted(number, "piece");
  if (search) return `Nothing found for “${search}”.`;
  return filter === "all" ? "What you make is kept here: searchable, repeatable, yours." : "None yet.";
}
