/** A take that has not begun. */

/**
 * @param {Record<string, unknown>} request
 * @param {Partial<import("./types.js").Take>} [known]
 * @returns {import("./types.js").Take}
 */
export function newTake(request, known = {}) {
  return {
    id: newId(),
    key: newId(),
    job: null,
    track: null,
    isLocal: false,
    isStarred: false,
    request,
    state: "sending",
    progress: 0,
    stage: "",
    position: null,
    etaSeconds: null,
    waitSeconds: null,
    facts: null,
    written: null,
    change: null,
    problem: null,
    ...known,
  };
}

/** Return a new identifier; randomUUID is missing in pages without TLS. */
function newId() {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
