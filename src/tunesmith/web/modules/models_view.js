/** The models in the side panel: what is loaded, what is installed, what can be, with licence and size. */

import { button, byId, element, icon, unlessPressed } from "./dom.js";
import { Store } from "./store.js";
import { token } from "./keeping.js";
import { capital, clock, counted, size } from "./words.js";

/**
 * @typedef {import("./types.js").Model} Model
 * @typedef {import("./types.js").State} State
 */

/**
 * @param {Store} store
 * @param {import("./models.js").Models} models
 * @param {import("./server.js").Server} server
 */
export function showModels(store, models, server) {
  /** @type {Map<string, {about: string, node: HTMLElement}>} what a section shows, and the section */
  const sections = new Map();
  /** @param {State} state */
  const drawModels = (state) => {
    const ready = state.models.filter((model) => model.installed);
    const others = state.models.filter((model) => !model.installed);
    /** @type {HTMLElement | undefined} */
    let lostFocus;
    const nodes = [...ready, ...others].map((model) => {
      // One that stays as it is keeps the focus and the ticked box while another is installed.
      const about = JSON.stringify([model, state.pulls[model.name], aboutOf(model, state), loadedOf(model, state)]);
      const kept = sections.get(model.name);
      const node = kept?.about === about ? kept.node : section(model, state, models);
      if (node !== kept?.node && kept?.node.contains(document.activeElement)) lostFocus = node;
      sections.set(model.name, { about, node });
      return node;
    });
    const list = byId("model-list");
    for (const shown of [...list.children]) if (!nodes.includes(/** @type {HTMLElement} */ (shown))) shown.remove();
    nodes.forEach((node, at) => node !== list.children[at] && list.insertBefore(node, list.children[at] ?? null));
    lostFocus?.querySelector("button")?.focus();
  };
  store.watch(
    (state) => [state.models, state.loaded, state.pulls],
    unlessPressed(byId("model-list"), drawModels),
  );
  store.watch(
    (state) => [state.loaded, state.connection],
    unlessPressed(byId("server-note"), (state) => byId("server-note").replaceChildren(...aboutServer(state, server))),
  );
}

/**
 * Return the processes that have a model in memory.
 *
 * @param {Model} model
 * @param {State} state
 */
function loadedOf(model, { loaded }) {
  return loaded.filter((one) => one.name === model.name);
}

/**
 * @param {Model} model
 * @param {State} state
 * @param {import("./models.js").Models} models
 */
function section(model, state, models) {
  const pull = state.pulls[model.name];
  const title = model.name === "composer" ? "Composer" : model.name;
  const processes = loadedOf(model, state);
  const isLoaded = processes.length > 0;
  const isAtWork = processes.every((one) => one.requests_running > 0);
  const isPulled = pull !== undefined && pull.problem === null;
  return element(
    "section",
    { class: "model" },
    element(
      "h3",
      {},
      title,
      isPulled
        ? button("plain", "Stop", () => models.stop(model.name), { "aria-label": `Stop installing ${title}` })
        : null,
      isLoaded
        ? button("plain", "Unload", () => void models.unload(model.name), {
            "aria-label": `Unload ${title}`,
            disabled: isAtWork,
          })
        : null,
    ),
    isPulled ? meter(pull.progress) : null,
    element("p", {}, isPulled ? `${capital(pull.stage)}, ${Math.round(pull.progress * 100)} %` : aboutOf(model, state)),
    licenceOf(model),
    pull?.problem
      ? element(
          "p",
          { class: "lic", attributes: { role: "alert" } },
          icon("warn", "bad"),
          `${pull.problem.title}. ${pull.problem.advice}`,
        )
      : null,
    model.installed || isPulled ? null : installForm(model, models),
  );
}

/**
 * @param {State} state
 * @param {import("./server.js").Server} server
 */
function aboutServer({ connection, loaded }, server) {
  if (!connection.version) return ["The server does not answer"];
  const memory = loaded.reduce((sum, one) => sum + one.memory_bytes, 0);
  const working = loaded.filter((one) => one.requests_running > 0).length;
  const about = `Server ${connection.version} at ${location.host}. ${size(memory)} of models in memory, ${
    working ? `${counted(working, "model")} at work` : "none at work"
  }. `;
  if (!token.get()) return [about, "It is open to this browser without a token."];
  return [about, "Your token is kept until the tab is closed. ", button("word", "Forget the token", () => void server.signIn(""))];
}

/** @param {number} progress */
function meter(progress) {
  const done = element("i");
  done.style.setProperty("--p", String(progress));
  return element(
    "div",
    {
      class: "meter",
      attributes: {
        role: "progressbar",
        "aria-label": "Installing",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": Math.round(progress * 100),
      },
    },
    done,
  );
}

/**
 * @param {Model} model
 * @param {State} state
 */
function aboutOf(model, state) {
  const loaded = state.loaded.find((one) => one.name === model.name);
  if (loaded) {
    const leaves = loaded.expires_at
      ? `, leaves in ${clock(Math.max(0, (Date.parse(loaded.expires_at) - Date.now()) / 1000))}`
      : "";
    return `In memory, ${size(loaded.memory_bytes)}${leaves}`;
  }
  if (model.installed) return model.name === "composer" ? "Always here" : "Installed; it loads when you ask for it";
  const download = /** @type {{download_bytes?: number | null}} */ (model).download_bytes;
  return [model.about ? capital(model.about) : "", download ? `${size(download)} to download` : ""]
    .filter(Boolean)
    .join("; ");
}

/** @param {Model} model */
function licenceOf(model) {
  const name = model.licence ? `: ${model.licence}` : "";
  const limit = model.revenue_limit_usd?.toLocaleString();
  const texts = {
    allowed: `Free to use, also commercially${name}`,
    forbidden: `Not for commercial use${name}`,
    "below-revenue-limit": `Commercial use below a yearly revenue of ${limit} USD${name}`,
    unknown: `Commercial use is unknown${name}`,
  };
  const isFree = model.licence_terms === "allowed";
  return element(
    "p",
    { class: "lic" },
    icon(isFree ? "check" : "warn", isFree ? "" : "bad"),
    texts[model.licence_terms] ?? texts.unknown,
    model.notice ? element("small", {}, ` ${model.notice}`) : null,
  );
}

/**
 * @param {Model} model
 * @param {import("./models.js").Models} models
 */
function installForm(model, models) {
  const accepts = element("input", { attributes: { type: "checkbox", required: true } });
  const install = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void models.pull(model.name, model.accept_licence);
  };
  return element(
    "form",
    { class: "install", on: { submit: install } },
    model.accept_licence ? element("label", { class: "check" }, accepts, " I accept its licence") : null,
    element(
      "button",
      { class: "plain", attributes: { type: "submit", "aria-label": `Install ${model.name}` } },
      icon("save"),
      "Install",
    ),
  );
}
