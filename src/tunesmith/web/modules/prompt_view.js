/** The prompt: a box that grows with its words, which are underlined where the composer understood them. */

import { byId, element } from "./dom.js";
import { Store } from "./store.js";

/**
 * @param {Store} store
 * @param {() => void} make
 */
export function showPrompt(store, make) {
  const box = byId("prompt", HTMLTextAreaElement);
  box.addEventListener("input", () =>
    store.change({ draft: { ...store.state.draft, prompt: box.value }, askProblem: null }),
  );
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
      const known = brief?.prompt === draft.prompt.trim() ? brief.reasons : [];
      byId("mirror").replaceChildren(
        ...marked(
          draft.prompt,
          known.flatMap((reason) => wordsOf(reason.because)),
        ),
        "\u200b",
      );
    },
  );
}

/**
 * Return the words of the prompt that a reason quotes.
 *
 * @param {string} because
 * @returns {string[]}
 */
export function wordsOf(because) {
  const words = /says '(.+)'/.exec(because)?.[1];
  return words ? [words] : [];
}

/**
 * Return a text with words underlined.
 *
 * @param {string} text
 * @param {string[]} words
 * @returns {(string | Node)[]}
 */
function marked(text, words) {
  const lower = text.toLowerCase();
  const found = words.map((one) => ({ start: lower.indexOf(one.toLowerCase()), length: one.length }));
  const parts = [];
  let end = 0;
  for (const { start, length } of found.filter((one) => one.start >= 0).sort((one, other) => one.start - other.start)) {
    if (start < end) continue;
    parts.push(text.slice(end, start), element("mark", {}, text.slice(start, start + length)));
    end = start + length;
  }
  return [...parts, text.slice(end)];
}
