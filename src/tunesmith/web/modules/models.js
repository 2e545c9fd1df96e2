/** Models: those installed and those that can be, and pulls with their progress. */

import { Newest } from "./newest.js";
import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store } from "./store.js";

/** Lists and installs models. */
export class Models {
  #store;
  #server;
  /** @type {Map<string, AbortController>} */
  #running = new Map();
  #lists = new Newest();

  /**
   * @param {Store} store
   * @param {Server} server
   */
  constructor(store, server) {
    this.#store = store;
    this.#server = server;
    store.watch(
      (state) => [state.connection.state],
      (state) => state.connection.state === "open" && void this.refresh(),
    );
  }

  /** List the models again. */
  async refresh() {
    const isNewest = this.#lists.begin();
    try {
      const models = await this.#server.ask((client) => client.models());
      if (isNewest()) this.#store.change({ models });
    } catch (error) {
      if (isNewest()) this.#store.change({ notice: inWords(error) });
    }
  }

  /**
   * Take a model out of the server's memory.
   *
   * @param {string} name
   */
  async unload(name) {
    try {
      await this.#server.ask((client) => client.unload(name));
      await this.#server.look();
      this.#store.change({ announcement: `${name} is unloaded` });
    } catch (error) {
      this.#store.change({ notice: inWords(error) });
    }
  }

  /**
   * Install a model.
   *
   * @param {string} name
   * @param {boolean} acceptsLicence
   */
  async pull(name, acceptsLicence) {
    const stop = new AbortController();
    this.#running.set(name, stop);
    this.#note(name, { stage: "beginning", progress: 0, problem: null });
    try {
      const settings = acceptsLicence ? { accept_licence: true } : {};
      for await (const event of this.#server.client.pull(name, settings, { signal: stop.signal })) {
        if (typeof event.progress !== "number") continue;
        this.#note(name, { stage: String(event.stage), progress: event.progress, problem: null });
      }
      this.#note(name, null);
      this.#store.change({ announcement: `${name} is installed` });
      await this.refresh();
    } catch (error) {
      this.#note(name, stop.signal.aborted ? null : { stage: "", progress: 0, problem: inWords(error) });
    } finally {
      this.#running.delete(name);
    }
  }

  /**
   * Stop the installation of a model.
   *
   * @param {string} name
   */
  stop(name) {
    this.#running.get(name)?.abort();
  }

  /**
   * @param {string} name
   * @param {import("./types.js").Pull | null} pull null: it has ended
   */
  #note(name, pull) {
    const { [name]: _, ...others } = this.#store.state.pulls;
    this.#store.change({ pulls: pull ? { ...others, [name]: pull } : others });
  }
}
