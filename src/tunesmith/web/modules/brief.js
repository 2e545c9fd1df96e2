/** The brief: while the user types, how the composer understands the prompt. */

import { inWords } from "./problems.js";
import { Server } from "./server.js";
import { Store } from "./store.js";

const PAUSE_MS = 180;
/** A brief that comes later is of no use; the page should rather say that the server is away. */
const DEADLINE_SECONDS = 3;

/**
 * Keep the state's brief that of the prompt.
 *
 * @param {Store} store
 * @param {Server} server
 */
export function readBriefs(store, server) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let reading = new AbortController();
  store.watch(
    (state) => [state.draft.prompt, state.draft.model, state.connection.state],
    ({ draft, connection }) => {
      clearTimeout(timer);
      reading.abort();
      if (!draft.prompt.trim() || draft.model !== "composer") return store.change({ brief: null });
      if (connection.state !== "open") return forgetOther(store);
      reading = new AbortController();
      const { signal } = reading;
      timer = setTimeout(() => void readBrief(store, server, draft.prompt, signal), PAUSE_MS);
    },
  );
}

/**
 * Forget the brief of another prompt, which nobody can replace now.
 *
 * @param {Store} store
 */
function forgetOther(store) {
  const { brief, draft } = store.state;
  if (brief && brief.prompt !== draft.prompt.trim()) store.change({ brief: null });
}

/**
 * @param {Store} store
 * @param {Server} server
 * @param {string} prompt
 * @param {AbortSignal} signal
 */
async function readBrief(store, server, prompt, signal) {
  try {
    const brief = await server.ask((client) => client.explain(prompt, { signal, deadline: DEADLINE_SECONDS }));
    store.change({ brief });
  } catch (error) {
    // A newer prompt took its place.
    if (signal.aborted) return;
    const problem = inWords(error);
    store.change({ brief: null, ...(problem.field ? { askProblem: problem } : {}) });
  }
}
