/** The page's only way to the server: the JavaScript client, and whether it can be reached. */

import { ServerUnreachable, TokenRefused, Tunesmith } from "../js/src/index.js";
import { token } from "./keeping.js";
import { Newest } from "./newest.js";
import { Store } from "./store.js";

const LOOK_SECONDS = 20;
const FIRST_RETRY_SECONDS = 2;
const LONGEST_RETRY_SECONDS = 15;
const PATIENCE_SECONDS = 4;

/** Holds the client, and tells the state whether the server answers. */
export class Server {
  #store;
  #client;
  #retrySeconds = FIRST_RETRY_SECONDS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #looks = new Newest();

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
    this.#client = connected();
  }

  /** The client; another one after a change of the token. */
  get client() {
    return this.#client;
  }

  /**
   * Use a token from now on; an empty one forgets it.
   *
   * @param {string} secret
   */
  async signIn(secret) {
    token.set(secret);
    this.#client = connected();
    await this.look();
  }

  /** See whether the server answers, now and from now on. */
  async look() {
    clearTimeout(this.#timer);
    const isNewest = this.#looks.begin();
    try {
      const version = await this.#client.version({ deadline: PATIENCE_SECONDS });
      // The version is open to all; this call shows whether the token is good.
      const loaded = await this.#client.loaded({ deadline: PATIENCE_SECONDS });
      if (isNewest()) this.#found(version, loaded);
    } catch (error) {
      if (!isNewest()) return;
      if (error instanceof TokenRefused)
        this.#store.change({ connection: { state: "refused", retrySeconds: 0, version: "" } });
      else this.lost();
    }
  }

  /**
   * @param {string} version
   * @param {import("./types.js").LoadedModel[]} loaded
   */
  #found(version, loaded) {
    this.#retrySeconds = FIRST_RETRY_SECONDS;
    // What went wrong because it was away is over.
    const wasAway = this.#store.state.connection.state !== "open";
    this.#store.change({
      loaded,
      connection: { state: "open", retrySeconds: 0, version },
      ...(wasAway ? { notice: null } : {}),
    });
    this.#again(LOOK_SECONDS, () => void this.look());
  }

  /**
   * Return the value of a call, and note if the server could not be reached.
   *
   * @template T
   * @param {(client: Tunesmith) => Promise<T>} call
   * @returns {Promise<T>}
   */
  async ask(call) {
    try {
      return await call(this.#client);
    } catch (error) {
      if (error instanceof ServerUnreachable) this.lost();
      if (error instanceof TokenRefused && error.status === 401) {
        this.#store.change({ connection: { state: "refused", retrySeconds: 0, version: "" } });
      }
      throw error;
    }
  }

  /** Note that the server cannot be reached, and try again later and later. */
  lost() {
    const seconds = this.#retrySeconds;
    this.#retrySeconds = Math.min(LONGEST_RETRY_SECONDS, seconds * 2);
    this.#countDown(seconds);
  }

  /** @param {number} seconds */
  #countDown(seconds) {
    if (seconds <= 0) return void this.look();
    this.#store.change({ connection: { ...this.#store.state.connection, state: "lost", retrySeconds: seconds } });
    this.#again(1, () => this.#countDown(seconds - 1));
  }

  /**
   * @param {number} seconds
   * @param {() => void} then
   */
  #again(seconds, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, seconds * 1000);
  }
}

function connected() {
  // The page may lie behind a proxy, under a path of its own.
  const baseUrl = new URL(".", document.baseURI).href;
  return new Tunesmith({ baseUrl, token: token.get() || undefined });
}
