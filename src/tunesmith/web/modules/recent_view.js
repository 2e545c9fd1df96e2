/** Recent prompts: offered while the prompt is empty. */

import { button, byId, element } from "./dom.js";
import { Store } from "./store.js";

/** @param {Store} store */
export function showRecent(store) {
  store.watch(
    (state) => [state.recent, state.draft.prompt.trim() === ""],
    ({ recent, draft }) => {
      byId("recent").hidden = !recent.length || draft.prompt.trim() !== "";
      const buttons = recent.map((prompt) => button("", prompt, () => usePrompt(store, prompt)));
      byId("recent-list").replaceChildren(...buttons.map((one) => element("li", {}, one)));
    },
  );
}

/**
 * Ask for something else: only the prompt stays to be decided.
 *
 * @param {Store} store
 * @param {string} prompt
 */
export function usePrompt(store, prompt) {
  store.changeDraft({ prompt, fixed: {}, more: {}, without: [] });
  byId("prompt").focus();
}
