/** The library in the side panel: search and filters, and a list of any length, of which only what is seen is drawn. */

import { byId, setAttributes } from "./dom.js";
import { trackAt } from "./library.js";
import { LibraryRow, ROW_PIXELS } from "./library_row.js";
import { Store, takeOf } from "./store.js";
import { counted } from "./words.js";

/** @typedef {import("./types.js").Track} Track */

const SEARCH_PAUSE_MS = 200;
const FILTERS = /** @type {const} */ (["all", "starred", "loops"]);
/** Rows beyond the edges that are drawn too, so that none is missing while the list moves. */
const MARGIN_ROWS = 8;

/**
 * @param {Store} store
 * @param {import("./library.js").Library} library
 * @param {import("./outlines.js").Outlines} outlines
 * @param {(track: Track) => void} open
 */
export function showLibrary(store, library, outlines, open) {
  followQuery(store);
  const rows = new Rows(store, library, outlines, open);
  store.watch(
    (state) => [state.shelf, state.query, takeOf(state)?.track],
    (state) => {
      byId("count-note").textContent = noteOf(state.shelf.total, state.query);
      rows.draw();
    },
  );
  store.watch(
    (state) => [state.theme],
    () => rows.redraw(),
  );
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => rows.redraw());
}

/** @param {Store} store */
function followQuery(store) {
  const search = byId("search", HTMLInputElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const ask = (/** @type {Partial<import("./types.js").LibraryQuery>} */ parts) => {
    byId("side").scrollTop = 0;
    store.change({ query: { ...store.state.query, ...parts } });
  };
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask({ search: search.value.trim() }), SEARCH_PAUSE_MS);
  });
  for (const filter of FILTERS) byId(`filter-${filter}`).addEventListener("click", () => ask({ filter }));
  store.watch(
    (state) => [state.query],
    ({ query }) => {
      for (const filter of FILTERS)
        setAttributes(byId(`filter-${filter}`), { "aria-pressed": query.filter === filter });
    },
  );
}

/** The rows that are seen, each at its place in a list as high as all of them. */
class Rows {
  #store;
  #library;
  #outlines;
  #open;
  #list = byId("rows");
  #scroller = byId("side");
  /** @type {Map<number, LibraryRow>} */
  #shown = new Map();
  #isDue = false;

  /**
   * @param {Store} store
   * @param {import("./library.js").Library} library
   * @param {import("./outlines.js").Outlines} outlines
   * @param {(track: Track) => void} open
   */
  constructor(store, library, outlines, open) {
    this.#store = store;
    this.#library = library;
    this.#outlines = outlines;
    this.#open = open;
    const later = () => {
      if (this.#isDue) return;
      this.#isDue = true;
      requestAnimationFrame(() => {
        this.#isDue = false;
        this.draw();
      });
    };
    this.#scroller.addEventListener("scroll", later, { passive: true });
    new ResizeObserver(later).observe(this.#scroller);
    this.#list.addEventListener("keydown", (event) => this.#followKey(event));
  }

  /** Draw what is seen; rows that stay are changed only where their track is another one. */
  draw() {
    const { state } = this.#store;
    const { total } = state.shelf;
    this.#list.style.height = `${total * ROW_PIXELS}px`;
    const [first, last] = this.#seen(total);
    this.#library.need(first, last);
    for (const [at, row] of this.#shown) {
      if (at >= first && at < last) continue;
      row.node.remove();
      this.#shown.delete(at);
    }
    const current = takeOf(state)?.track ?? null;
    for (let at = first; at < last; at += 1) {
      const row = this.#shown.get(at) ?? this.#added(at);
      row.show(trackAt(state, at), trackAt(state, at - 1), { current, total });
    }
  }

  /** Draw every figure anew, as after a change of the theme. */
  redraw() {
    for (const row of this.#shown.values()) row.drawFigure();
  }

  /**
   * Return the places from the first to the last (exclusive) that are seen.
   *
   * @param {number} total
   * @returns {[number, number]}
   */
  #seen(total) {
    const top = this.#list.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / ROW_PIXELS) - MARGIN_ROWS);
    const last = Math.ceil((this.#scroller.clientHeight - top) / ROW_PIXELS) + MARGIN_ROWS;
    return [Math.min(first, total), Math.min(Math.max(last, 0), total)];
  }

  /** @param {number} at */
  #added(at) {
    const row = new LibraryRow(at, this.#outlines, this.#open);
    this.#shown.set(at, row);
    // In the order of the list, which is that of the tabulator.
    const next = [...this.#shown.keys()].filter((other) => other > at).sort((one, other) => one - other)[0];
    this.#list.insertBefore(row.node, next === undefined ? null : (this.#shown.get(next)?.node ?? null));
    return row;
  }

  /**
   * Up and down go from row to row.
   *
   * @param {KeyboardEvent} event
   */
  #followKey(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const at = [...this.#shown].find(([, row]) => row.node.contains(document.activeElement))?.[0];
    if (!step || at === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    // A key that is held is faster than the frames in which the list is drawn.
    this.draw();
    this.#shown.get(at + step)?.focus();
  }
}

/**
 * @param {number} total
 * @param {import("./types.js").LibraryQuery} query
 */
function noteOf(total, { search, filter }) {
  if (total) return counted(total, "piece");
  if (search) return `Nothing found for “${search}”.`;
  return filter === "all" ? "What you make is kept here: searchable, repeatable, yours." : "None yet.";
}
