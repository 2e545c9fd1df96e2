/** The state of a page that has just been opened, with what it kept of the visit before. */

/** @typedef {import("./types.js").State} State */

/** @type {import("./types.js").Draft} */
const DRAFT = {
  prompt: "",
  model: "composer",
  form: "loop",
  length: "8 bars",
  takes: 3,
  seed: "",
  fixed: {},
  more: {},
  without: [],
  hits: [],
  settings: {},
};

/**
 * @param {Partial<State>} kept
 * @returns {State}
 */
export function initialState(kept) {
  return {
    brief: null,
    askProblem: null,
    wish: { words: "", understood: null, problem: null, isSending: false },
    locks: [],
    takes: [],
    aside: null,
    current: null,
    previous: null,
    isPlaying: false,
    isLooping: true,
    region: null,
    volume: 0.8,
    heard: [],
    arrived: {},
    parts: {},
    mixes: {},
    video: null,
    stems: null,
    layers: null,
    intensity: null,
    query: { search: "", filter: "all" },
    shelf: { total: 0, pages: {} },
    notice: null,
    models: [],
    loaded: [],
    pulls: {},
    connection: { state: "connecting", retrySeconds: 0, version: "" },
    recent: [],
    announcement: "",
    theme: null,
    hasLetterKeys: true,
    ...kept,
    draft: { ...DRAFT, ...kept.draft },
  };
}
