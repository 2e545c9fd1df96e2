/** The brief: while the user types, what the composer would make of the draft. */

import { DeadlineExceeded } from "../js/src/index.js";
import { inWords } from "./problems.js";
import { fieldsOf } from "./request.js";
import { Server } from "./server.js";
import { Store } from "./store.js";

/** @typedef {import("./types.js").Draft} Draft */

const PAUSE_MS = 180;
/** A brief that comes later is of no use; the page should rather say that the server is away. */
const DEADLINE_SECONDS = 3;
/** What is still being typed is not at fault yet; it is said when the take is made. */
const TYPED = ["duration", "bars", "seed"];

/**
 * Keep the state's brief that of the draft.
 *
 * @param {Store} store
 * @param {Server} server
 */
export function readBriefs(store, server) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let reading = new AbortController();
  let typed = store.state.draft.prompt;
  store.watch(
    (state) => [state.draft, state.connection.state],
    ({ draft, connection }) => {
      clearTimeout(timer);
      reading.abort();
      if (!draft.prompt.trim() || draft.model !== "composer") return store.change({ brief: null });
      if (connection.state !== "open") return forgetOther(store);
      reading = new AbortController();
      const { signal } = reading;
      // A press of a chip is answered at once; words come letter by letter.
      const pause = draft.prompt === typed ? 0 : PAUSE_MS;
      typed = draft.prompt;
      timer = setTimeout(() => void readBrief(store, server, draft, signal), pause);
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
  if (brief && brief.sent !== draft.prompt) store.change({ brief: null });
}

/**
 * @param {Store} store
 * @param {Server} server
 * @param {Draft} draft
 * @param {AbortSignal} signal
 */
async function readBrief(store, server, draft, signal) {
  const { prompt: _, ...fields } = fieldsOf(draft);
  const seed = draft.seed.trim() ? { seed: Number(draft.seed) } : {};
  try {
    // As typed, so that spans are those of the box.
    const explained = await server.ask((client) =>
      client.explain(draft.prompt, { ...fields, ...seed }, { signal, deadline: DEADLINE_SECONDS }),
    );
    store.change({ brief: { ...explained, sent: draft.prompt } });
  } catch (error) {
    // A newer draft took its place.
    if (signal.aborted) return;
    // The first explanation of a server waits for its tables.
    if (error instanceof DeadlineExceeded) return readBrief(store, server, draft, signal);
    const problem = inWords(error);
    forgetOther(store);
    // What the words say is shown all the same, and the chips stay, so that the one at fault can be changed.
    if (!problem.field) return;
    if (!TYPED.includes(problem.field)) return store.change({ askProblem: problem });
    if (draft.length || draft.seed) await readBrief(store, server, { ...draft, length: "", seed: "" }, signal);
  }
}
