/** The prompt: a box that grows with its words, which are underlined where the composer understood them. */

import { byId, element } from "./dom.js";
import { inUnits } from "./spans.js";
import { Store } from "./store.js";

/**
 * @param {Store} store
 * @param {() => void} make
 */
export function showPrompt(store, make) {
  const box = byId("prompt", HTMLTextAreaElement);
  box.addEventListener("input", () => {
    // A new prompt is no piece like the one before.
    const isNew = !box.value.trim();
    store.changeDraft({ prompt: box.value, ...(isNew ? { more: {} } : {}) });
  });
  box.addEventListener("keydown", (event) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    make();
  });
  store.watch(
    (state) => [state.draft.prompt, state.brief],
    ({ draft, brief }) => {
      if (box.value !== draft.prompt) box.value = draft.prompt;
      // The text behind the box has its size, so that the box grows, and carries the underlines.
      const known = brief?.sent === draft.prompt ? brief.answers : [];
      const spans = known.flatMap((answer) => answer.spans);
      byId("mirror").replaceChildren(...marked(draft.prompt, spans), "\u200b");
    },
  );
}

/**
 * Return a text with the words in spans underlined.
 *
 * @param {string} text
 * @param {import("./spans.js").Span[]} spans in code points
 * @returns {(string | Node)[]}
 */
function marked(text, spans) {
  const parts = [];
  let done = 0;
  for (const { start, end } of inUnits(text, spans)) {
    parts.push(text.slice(done, start), element("mark", {}, text.slice(start, end)));
    done = end;
  }
  return [...parts, text.slice(done)];
}
