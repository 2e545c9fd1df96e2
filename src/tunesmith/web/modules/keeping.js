/**
 * What survives a reload, in the browser's storage: the draft and the preferences for the next visit, the takes of this
 * tab, so that two tabs do not share them. Nothing is kept where the browser forbids it.
 */

import { Store } from "./store.js";

/** @typedef {import("./types.js").State} State */

const VISIT = "tunesmith.studio";
const TAB = "tunesmith.studio.takes";
const TOKEN = "tunesmith.studio.token";

/**
 * Return what was kept.
 *
 * @returns {Partial<State>}
 */
export function kept() {
  return { ...read(() => localStorage, VISIT), ...read(() => sessionStorage, TAB) };
}

/**
 * Keep the state from now on.
 *
 * @param {Store} store
 */
export function keep(store) {
  store.watch(
    (state) => [state.draft, state.recent, state.theme, state.hasLetterKeys, state.volume],
    ({ draft, recent, theme, hasLetterKeys, volume }) =>
      write(() => localStorage, VISIT, { draft, recent, theme, hasLetterKeys, volume }),
  );
  store.watch(
    (state) => [state.takes, state.current],
    // Sounds that are only in this page are gone with it.
    ({ takes, current }) => {
      const lasting = takes.filter((take) => !take.isLocal);
      const shown = lasting.find((take) => take.id === current) ?? lasting.at(-1);
      write(() => sessionStorage, TAB, { takes: lasting, current: shown?.id ?? null });
    },
  );
}

/** The server's token, for as long as the tab lives. */
export const token = {
  /** @returns {string | undefined} */
  get() {
    return read(() => sessionStorage, TOKEN).token;
  },
  /** @param {string} given */
  set(given) {
    write(() => sessionStorage, TOKEN, { token: given });
  },
};

/**
 * @param {() => Storage} storage
 * @param {string} name
 * @returns {any}
 */
function read(storage, name) {
  try {
    return JSON.parse(storage().getItem(name) ?? "{}");
  } catch {
    // Another program's value, or a browser that forbids storage: the page then opens as new.
    return {};
  }
}

/**
 * @param {() => Storage} storage
 * @param {string} name
 * @param {unknown} value
 */
function write(storage, name, value) {
  try {
    storage().setItem(name, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden; the page works without it.
  }
}
