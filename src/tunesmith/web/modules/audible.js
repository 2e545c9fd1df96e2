/** What is heard of the take on the stage: its mix, its parts as the mixer has them, or its intensity layers. */

import { LiveSounds } from "./live_sound.js";
import { gainOf, isAltered } from "./mix.js";
import { Sounds } from "./sound.js";
import { Stems } from "./stems.js";

/**
 * @typedef {import("./types.js").State} State
 * @typedef {import("./voice.js").Layer} Layer
 *
 * @typedef {object} Audible
 * @property {string} kind another kind needs other sources, the same only other gains
 * @property {Layer[]} layers
 * @property {number | null} loudnessLufs of the mix, by which takes are matched; null if it is not known yet
 * @property {import("./live_sound.js").LiveSound} [live] what has arrived of a take that is being made
 */

/** Chooses among the sounds of a take. */
export class Choice {
  #sounds;
  #stems;
  #layers;
  #live;

  /**
   * @param {Sounds} sounds
   * @param {Stems} stems
   * @param {import("./intensity.js").IntensityLayers} layers
   * @param {LiveSounds} live
   */
  constructor(sounds, stems, layers, live) {
    this.#sounds = sounds;
    this.#stems = stems;
    this.#layers = layers;
    this.#live = live;
  }

  /**
   * Return what is heard; undefined until the take's first sound has arrived. Parts and layers that are still on their way
   * leave the mix to be heard.
   *
   * @param {State} state
   * @returns {Audible | undefined}
   */
  of({ current, mixes, intensity }) {
    const sound = this.#sounds.of(current);
    if (!sound) {
      const live = this.#live.of(current);
      return live && { kind: "live", layers: [], loudnessLufs: null, live };
    }
    const { loudnessLufs } = sound;
    const stems = this.#stems.of(current);
    const mix = mixes[current ?? ""];
    if (isAltered(mix) && stems.length) {
      const layers = stems.map(({ part, buffer }) => ({ buffer, gain: gainOf(mix, part) }));
      return { kind: "parts", layers, loudnessLufs };
    }
    const layers = intensity === null ? [] : this.#layers.at(current, intensity);
    if (layers.length) return { kind: "layers", layers, loudnessLufs };
    return { kind: "mix", layers: [{ buffer: sound.buffer, gain: 1 }], loudnessLufs };
  }
}
