/** Light and dark: the system's choice until the user makes one. */

import { byId } from "./dom.js";
import { Store } from "./store.js";

/** @param {Store} store */
export function followTheme(store) {
  store.watch(
    (state) => [state.theme],
    ({ theme }) => {
      if (theme) document.documentElement.dataset.theme = theme;
    },
  );
  byId("theme").addEventListener("click", () => {
    const isDark = store.state.theme
      ? store.state.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    store.change({ theme: isDark ? "light" : "dark" });
  });
}
