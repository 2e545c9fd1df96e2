/** The first run: what to ask for, with the melodies that come of it, and the prompts of other days. */

import { button, byId, element } from "./dom.js";
import { EXAMPLES, melodyOf } from "./examples.js";
import { drawFigure } from "./figure.js";
import { Store } from "./store.js";

/** @param {Store} store */
export function showBlank(store) {
  const use = (/** @type {string} */ prompt) => {
    store.change({ draft: { ...store.state.draft, prompt, fixed: {}, without: [] } });
    byId("prompt").focus();
  };
  const cards = EXAMPLES.map((example) => {
    const figure = element("canvas", { class: "mini", attributes: { "aria-hidden": true } });
    const card = button("card", [element("small", {}, example.use), element("span", {}, example.prompt), figure], () =>
      use(example.prompt),
    );
    return { card, draw: () => drawFigure(figure, false, melodyOf(example), undefined, 1) };
  });
  byId("cards").replaceChildren(...cards.map(({ card }) => card));
  const draw = () => cards.forEach((one) => one.draw());
  store.watch(
    (state) => [state.takes.length === 0, state.theme],
    () => requestAnimationFrame(draw),
  );
  store.watch(
    (state) => [state.recent],
    ({ recent }) => {
      byId("recent").hidden = !recent.length;
      byId("recent-list").replaceChildren(
        ...recent.map((prompt) =>
          element(
            "li",
            {},
            button("recent", prompt, () => use(prompt)),
          ),
        ),
      );
    },
  );
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
