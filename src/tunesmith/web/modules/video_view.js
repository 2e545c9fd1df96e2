/** A video of the user above the ruler: it plays in sync with the music and never leaves the browser. */

import { button, byId, element, icon } from "./dom.js";
import { Store } from "./store.js";

/** Further apart, the video jumps; nearer, it runs a little faster or slower until it is there. */
const JUMP_SECONDS = 0.15;
const CATCH_UP_SECONDS = 0.5;
const FASTEST = 1.1;
/** A smaller one is not worth the change. */
const LEAST_CHANGE = 0.01;

/** Shows the video of the state and keeps it with the player. */
export class Screen {
  #store;
  #player;
  /** @type {HTMLVideoElement | null} */
  #video = null;

  /**
   * @param {Store} store
   * @param {import("./player.js").Player} player
   */
  constructor(store, player) {
    this.#store = store;
    this.#player = player;
    store.watch(
      (state) => [state.video],
      () => this.#show(),
    );
    store.watch(
      (state) => [state.isPlaying],
      () => this.#follow(player.position),
    );
    player.watchPosition((seconds) => this.#follow(seconds));
  }

  /**
   * Show a video file.
   *
   * @param {File} file
   */
  open(file) {
    this.#close();
    this.#store.change({ video: { url: URL.createObjectURL(file), name: file.name }, announcement: "The video is here" });
  }

  #close() {
    const { video } = this.#store.state;
    if (video) URL.revokeObjectURL(video.url);
    this.#store.change({ video: null });
  }

  #show() {
    const { video } = this.#store.state;
    const place = byId("screen");
    place.hidden = video === null;
    this.#video = null;
    if (!video) return place.replaceChildren();
    // Its own sound would cover the music.
    const player = element("video", { attributes: { src: video.url, playsinline: true, preload: "auto" } });
    player.muted = true;
    player.setAttribute("aria-label", `The video ${video.name}`);
    player.addEventListener("error", () => this.#refuse(video.name));
    player.addEventListener("loadeddata", () => this.#follow(this.#player.position));
    const hint = element("p", {}, element("b", {}, video.name), "Stop at a cut and set a hit point (H): the music hits there.");
    const close = button("quiet icon", [icon("close")], () => this.#close(), { "aria-label": "Remove the video" });
    place.replaceChildren(player, hint, close);
    this.#video = player;
  }

  /** @param {string} name */
  #refuse(name) {
    this.#close();
    const advice = "Convert it to MP4 or WebM and drop it again. It has not left your browser.";
    this.#store.change({ notice: { title: `The browser cannot play ${name}`, advice } });
  }

  /** @param {number} seconds where the music is */
  #follow(seconds) {
    const video = this.#video;
    if (!video || video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    const isOver = seconds >= video.duration;
    const plays = this.#store.state.isPlaying && !isOver;
    if (plays && video.paused) void video.play().catch(() => undefined);
    if (!plays && !video.paused) video.pause();
    const behind = Math.min(seconds, video.duration) - video.currentTime;
    // A jump that is under way ends before the next begins.
    if (Math.abs(behind) > (plays ? JUMP_SECONDS : 0.001) && !video.seeking) video.currentTime = Math.max(0, seconds);
    const rate = plays ? Math.max(1 / FASTEST, Math.min(FASTEST, 1 + behind / CATCH_UP_SECONDS)) : 1;
    if (Math.abs(video.playbackRate - rate) > LEAST_CHANGE) video.playbackRate = rate;
  }
}
