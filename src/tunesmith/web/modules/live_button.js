/** The way to the live panel: shown where a model plays live, and loaded when it is wanted. */

import { byId, element } from "./dom.js";
import { inWords } from "./problems.js";

/**
 * @param {import("./store.js").Store} store
 * @param {import("./server.js").Server} server
 * @param {() => void} kept called when a recording has become a track
 */
export function followLive(store, server, kept) {
  const open = byId("live-open");
  store.watch(
    (state) => [state.models],
    ({ models }) => {
      open.hidden = !models.some((model) => model.plays_live);
    },
  );
  open.addEventListener("click", () => void show());

  async function show() {
    try {
      const [{ openLivePanel }] = await Promise.all([import("./live/live_panel.js"), styled()]);
      store.change({ isPlaying: false });
      openLivePanel(store, server, kept);
    } catch (error) {
      store.change({ notice: inWords(error) });
    }
  }
}

/** Load the panel's styles, once. */
function styled() {
  const href = "studio/styles/live.css";
  if (document.querySelector(`link[href="${href}"]`)) return undefined;
  return new Promise((resolve) => {
    const link = element("link", { attributes: { rel: "stylesheet", href }, on: { load: resolve, error: resolve } });
    document.head.append(link);
  });
}
