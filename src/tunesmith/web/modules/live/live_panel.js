/** The live panel: two prompts and a blend between them, notes, drums, and what is kept of what was heard. */

import { button, element, icon, setAttributes } from "../dom.js";
import { inWords } from "../problems.js";
import { clock } from "../words.js";
import { LivePlayer } from "./live_player.js";
import { followMidi, hasMidi } from "./midi_keys.js";
import { Piano } from "./piano.js";

/** So often at most a slider that moves is a change. */
const CHANGE_MS = 40;
const KEPT_SECONDS = 30;
const DRUMS = /** @type {const} */ ([["As it likes", null], ["On", true], ["Off", false]]); // prettier-ignore

/**
 * Open the panel; it ends the stream when it is closed.
 *
 * @param {import("../store.js").Store} store
 * @param {import("../server.js").Server} server
 * @param {() => void} kept
 */
export function openLivePanel(store, server, kept) {
  new LivePanel(store, server, kept).open();
}

class LivePanel {
  #store;
  #server;
  #kept;
  /** @type {import("../../js/src/live.js").Live | null} */
  #live = null;
  /** @type {LivePlayer | null} */
  #player = null;
  /** @type {Record<string, unknown>} */
  #changes = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #piano = new Piano((notes) => this.#change({ notes }));
  #prompt;
  #second;
  #blend;
  #drums;
  #start;
  #keep;
  #status = element("p", { class: "live-status", attributes: { role: "status" } });
  #problem = element("p", { class: "error", attributes: { role: "alert" } });
  #credit = element("p", { class: "lic" });
  #dialog;

  /**
   * @param {import("../store.js").Store} store
   * @param {import("../server.js").Server} server
   * @param {() => void} kept
   */
  constructor(store, server, kept) {
    this.#store = store;
    this.#server = server;
    this.#kept = kept;
    this.#prompt = this.#text("Play", store.state.draft.prompt || "warm lofi", "prompt");
    this.#second = this.#text("Blend in", "", "second_prompt");
    const blend = { type: "range", min: 0, max: 1, step: 0.01, value: 0.5, "aria-label": "Blend: the share of the second prompt" };
    this.#blend = element("input", { attributes: blend, on: { input: () => this.#blended() } });
    this.#blend.style.setProperty("--v", this.#blend.value);
    const options = DRUMS.map(([name], index) => element("option", { attributes: { value: index } }, name));
    this.#drums = element("select", { on: { change: () => this.#change({ drums: this.#drumsWanted }) } }, ...options);
    this.#start = button("make", "Start", () => void this.#toggle());
    this.#keep = button("plain", [icon("save"), `Keep the last ${KEPT_SECONDS} s`], () => this.#live?.record(KEPT_SECONDS), {
      disabled: true,
    });
    this.#dialog = this.#drawn();
  }

  open() {
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#prompt.input.focus();
  }

  get #drumsWanted() {
    return DRUMS[Number(this.#drums.value)]?.[1] ?? null;
  }

  /**
   * @param {string} label
   * @param {string} value
   * @param {"prompt" | "second_prompt"} field
   */
  #text(label, value, field) {
    const change = () => this.#change({ [field]: input.value.trim() || null });
    const input = element("input", { attributes: { value, maxlength: 2000, autocomplete: "off" }, on: { change } });
    return { input, label: element("label", { class: "live-text" }, element("span", {}, label), input) };
  }

  #drawn() {
    const latch = element("input", { attributes: { type: "checkbox" } });
    latch.addEventListener("change", () => {
      this.#piano.isLatched = latch.checked;
      this.#piano.clear();
    });
    const close = button("quiet icon", [icon("close")], () => dialog.close(), { "aria-label": "Close" });
    const title = element("h2", { attributes: { id: "live-title" } }, "Live");
    const dialog = element(
      "dialog",
      { class: "live", attributes: { "aria-labelledby": "live-title" } },
      element("header", {}, title, close),
      this.#prompt.label,
      this.#second.label,
      element("label", { class: "live-blend" }, element("span", {}, "Blend"), this.#blend),
      this.#piano.element,
      element(
        "div",
        { class: "row" },
        button("quiet icon", [icon("down")], () => this.#piano.shift(-1), { "aria-label": "An octave down" }),
        button("quiet icon", [icon("up")], () => this.#piano.shift(1), { "aria-label": "An octave up" }),
        element("label", { class: "check" }, latch, " Keys stay down"),
        element("label", { class: "check" }, "Drums", this.#drums),
        hasMidi ? button("quiet", "MIDI keyboard", () => void this.#useMidi()) : null,
      ),
      element("p", { class: "note" }, "The letters A to L play too, as on a piano."),
      element("div", { class: "row" }, this.#start, this.#keep, this.#status),
      this.#problem,
      this.#credit,
    );
    for (const kind of /** @type {const} */ (["keydown", "keyup"])) dialog.addEventListener(kind, (event) => this.#follow(event));
    dialog.addEventListener("close", () => {
      this.#end();
      dialog.remove();
    });
    return dialog;
  }

  /** @param {KeyboardEvent} event */
  #follow(event) {
    const isTyping = event.target instanceof Element && event.target.closest("input:not([type]), select");
    const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
    // A key that was pressed elsewhere may still be let go of here.
    if (event.type === "keydown" && (isTyping || isShortcut)) return;
    if (this.#piano.follow(event) && !isTyping) event.preventDefault();
  }

  #blended() {
    this.#blend.style.setProperty("--v", this.#blend.value);
    this.#change({ blend: Number(this.#blend.value) });
  }

  async #useMidi() {
    try {
      const number = await followMidi(this.#piano);
      this.#say(number ? "Your MIDI keyboard plays" : "Plug in a MIDI keyboard: it plays at once");
    } catch {
      this.#say("The browser does not allow MIDI here");
    }
  }

  async #toggle() {
    if (this.#live) return this.#live.stop();
    this.#problem.textContent = "";
    this.#say("Beginning…");
    this.#start.disabled = true;
    const fields = {
      second_prompt: this.#second.input.value.trim() || null,
      blend: Number(this.#blend.value),
      notes: this.#piano.notes,
      drums: this.#drumsWanted,
    };
    const message = (/** @type {any} */ one) => this.#hear(one);
    try {
      const live = await this.#server.ask((client) => client.live(this.#prompt.input.value, fields, { message }));
      if (!this.#dialog.open) return live.close();
      this.#live = live;
      this.#player = new LivePlayer(live.started.sample_rate, this.#store.state.volume ?? 1);
      this.#credit.textContent = live.started.attribution ?? live.started.notice ?? "";
      this.#show();
      await this.#play(live, this.#player);
    } catch (error) {
      this.#complain(error);
    } finally {
      this.#end();
    }
  }

  /**
   * @param {import("../../js/src/live.js").Live} live
   * @param {LivePlayer} player
   */
  async #play(live, player) {
    for await (const { channels, position } of live) {
      player.play(channels);
      // Not in the status, which is spoken: the clock is for the eye.
      if (this.#live === live) this.#start.dataset.clock = clock(position / live.started.sample_rate);
    }
    this.#say(live.reason === "stopped" ? "" : `It has ended: ${live.reason}`);
  }

  /** @param {any} message */
  #hear(message) {
    if (message.type === "loading") this.#say(`${message.model} is being loaded…`);
    if (message.type === "error") this.#problem.textContent = message.error.message;
    if (message.type === "changed") this.#problem.textContent = "";
    if (message.type === "late") this.#say("The server is too slow: there are gaps");
    if (message.type === "recorded") {
      this.#say("Kept; it is in the library");
      this.#kept();
    }
  }

  /** @param {Record<string, unknown>} settings */
  #change(settings) {
    this.#changes = { ...this.#changes, ...settings };
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const changes = this.#changes;
      this.#changes = {};
      this.#live?.change(changes);
    }, CHANGE_MS);
  }

  #show() {
    const plays = this.#live !== null;
    this.#start.disabled = false;
    this.#start.textContent = plays ? "Stop" : "Start";
    delete this.#start.dataset.clock;
    setAttributes(this.#keep, { disabled: !plays });
    if (plays) this.#say("It plays");
  }

  /** @param {unknown} error */
  #complain(error) {
    const { title, advice } = inWords(error);
    this.#problem.textContent = `${title}. ${advice}`;
    this.#say("");
  }

  /** @param {string} text */
  #say(text) {
    this.#status.textContent = text;
  }

  #end() {
    this.#live?.close();
    this.#player?.stop();
    this.#live = this.#player = null;
    this.#show();
  }
}
