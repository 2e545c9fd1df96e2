/** The slider of the intensity, beside the mix of a composer's take. */

import { button, byId, element } from "./dom.js";
import { isComposed } from "./facts.js";
import { Store, takeOf } from "./store.js";

/**
 * @param {Store} store
 * @param {import("./intensity.js").IntensityLayers} layers
 */
export function showIntensity(store, layers) {
  const slider = element("input", {
    attributes: { id: "intensity", type: "range", min: 0, max: 100, value: 100 },
    on: { input: () => set(Number(slider.value) / 100) },
  });
  /** @param {number | null} intensity */
  const set = (intensity) => {
    const { current, mixes } = store.state;
    // Layers are of the whole mix: the parts are heard as written again.
    store.change({ intensity, mixes: { ...mixes, [current ?? ""]: {} } });
    if (intensity !== null) void layers.need();
  };
  const back = button("quiet", "as written", () => set(null), { id: "as-written" });
  const label = element("label", { attributes: { for: "intensity" } }, "Intensity");
  byId("intensity-place").replaceChildren(label, slider, back);
  store.watch(
    (state) => [state.intensity, state.layers, takeOf(state)],
    (state) => {
      const take = takeOf(state);
      byId("intensity-place").hidden = !take?.track || !isComposed(take);
      slider.value = String(Math.round((state.intensity ?? 1) * 100));
      slider.style.setProperty("--v", String(state.intensity ?? 1));
      slider.setAttribute("aria-valuetext", state.intensity === null ? "as written" : `${slider.value} %`);
      label.textContent = state.layers === "loading" ? "Making layers" : "Intensity";
      back.hidden = state.intensity === null;
    },
  );
}
