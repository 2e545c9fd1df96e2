/** The transport: play, loop, the time, which take is heard, and the volume. */

import { button, byId, icon, setAttributes, unlessPressed } from "./dom.js";
import { shapeOf } from "./facts.js";
import { heardInWords } from "./mix.js";
import { beatAt } from "./meter.js";
import { letterOf, Store, takeOf } from "./store.js";
import { tenths } from "./words.js";

/**
 * @param {Store} store
 * @param {import("./player.js").Player} player
 * @param {(id: string) => void} choose
 */
export function showTransport(store, player, choose) {
  byId("play").addEventListener("click", () => player.toggle());
  byId("to-start").addEventListener("click", () => player.seek(0));
  byId("loop").addEventListener("click", () => store.change({ isLooping: !store.state.isLooping }));
  const volume = byId("volume", HTMLInputElement);
  volume.addEventListener("input", () => store.change({ volume: Number(volume.value) / 100 }));
  store.watch(
    (state) => [state.volume],
    (state) => {
      volume.value = String(Math.round(state.volume * 100));
      volume.style.setProperty("--v", String(state.volume));
    },
  );
  store.watch(
    (state) => [state.isPlaying, state.isLooping],
    ({ isPlaying, isLooping }) => {
      byId("play").replaceChildren(icon(isPlaying ? "pause" : "play"));
      setAttributes(byId("play"), { "aria-label": isPlaying ? "Pause" : "Play" });
      setAttributes(byId("loop"), { "aria-pressed": isLooping });
    },
  );
  store.watch(
    (state) => [state.takes, state.current],
    unlessPressed(byId("ab"), (state) => {
      const group = byId("ab");
      const isFocused = group.contains(document.activeElement);
      const buttons = state.takes.map((take, at) =>
        button("", letterOf(at), () => choose(take.id), {
          "aria-pressed": take.id === state.current,
          "aria-label": `Take ${letterOf(at)}`,
        }),
      );
      group.replaceChildren(...buttons);
      group.hidden = buttons.length < 2;
      const chosen = buttons[state.takes.findIndex((take) => take.id === state.current)];
      if (isFocused) chosen?.focus();
      if (chosen) group.scrollLeft = chosen.offsetLeft - (group.clientWidth - chosen.offsetWidth) / 2;
      byId("total").textContent = tenths(shapeOf(takeOf(state))?.duration ?? 0);
    }),
  );
  store.watch(
    (state) => [state.takes.length, state.current, state.mixes, state.parts, state.stems, waitedFor(state)],
    (state) => {
      const { takes, current, mixes, parts, stems } = state;
      const names = (parts[current ?? ""] ?? []).map(({ name }) => name);
      const mixed = stems === "loading" ? "Loading the parts" : heardInWords(mixes[current ?? ""], names);
      const usual = takes.length > 1 ? "Takes play at the same loudness" : "";
      byId("hearing").textContent = waitedFor(state) || mixed || usual;
    },
  );
  const [now, beat] = [byId("now"), byId("beat")];
  player.watchPosition((seconds) => {
    const at = beatAt(seconds, store.state);
    say(now, tenths(seconds));
    say(beat, at ? `Bar ${at.bar}, beat ${at.beat}` : "");
  });
}

/**
 * Return in words that the take before plays on while the one on the stage has no sound yet; empty where it has.
 *
 * @param {import("./types.js").State} state
 */
function waitedFor({ takes, current, previous, isPlaying, heard, arrived }) {
  const [before, now] = [previous, current].map((id) => takes.findIndex((take) => take.id === id));
  const isThere = heard.includes(current ?? "") || arrived[current ?? ""] !== undefined;
  if (!isPlaying || isThere || before === undefined || now === undefined || before < 0 || now < 0) return "";
  return takes[now]?.state === "failed" ? "" : `Take ${letterOf(before)} plays until ${letterOf(now)} is there`;
}

/**
 * Write a text if it is another one: writing costs a layout, and this is done in every frame.
 *
 * @param {HTMLElement} place
 * @param {string} text
 */
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
