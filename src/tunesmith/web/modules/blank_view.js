/** The first run: what to ask for, with the melodies that come of it. */

import { button, byId, element } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { drawFigure, partOf } from "./figure.js";
import { usePrompt } from "./recent_view.js";
import { Store } from "./store.js";

/** @param {Store} store */
export function showBlank(store) {
  const cards = EXAMPLES.map((example) => {
    const figure = element("canvas", { class: "mini", attributes: { "aria-hidden": true } });
    const card = button("card", [element("small", {}, example.use), element("span", {}, example.prompt), figure], () =>
      usePrompt(store, example.prompt),
    );
    return { card, draw: () => drawFigure(figure, false, partOf(example.melody), undefined, 1) };
  });
  byId("cards").replaceChildren(...cards.map(({ card }) => card));
  const draw = () => cards.forEach((one) => one.draw());
  store.watch(
    (state) => [state.takes.length === 0, state.theme],
    () => requestAnimationFrame(draw),
  );
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
