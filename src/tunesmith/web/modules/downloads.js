/** Downloads: a take's mix, stems or notes as a file of the user. */

import { Server } from "./server.js";
import { Store } from "./store.js";
import { inWords } from "./problems.js";

const ENDINGS = { audio: "", stems: "zip", midi: "mid" };

/**
 * Save a file of a take; the announcement says how it went.
 *
 * @param {Store} store
 * @param {Server} server
 * @param {import("./types.js").Take} take one that is listed in the library
 * @param {"audio" | "stems" | "midi"} kind
 */
export async function download(store, server, take, kind) {
  const track = take.track;
  if (!track) return;
  store.change({ announcement: "Preparing the download" });
  try {
    const content = await server.ask((client) => client.trackFile(track, kind));
    const listed = store.state.tracks.find((one) => one.id === track);
    const ending = ENDINGS[kind] || listed?.format || "wav";
    const title = (take.facts?.title ?? "music").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
    save(new Blob([/** @type {BlobPart} */ (content)]), `${title}-${take.facts?.seed ?? track}.${ending}`);
    store.change({ announcement: "Downloaded" });
  } catch (error) {
    store.change({ notice: inWords(error), announcement: "" });
  }
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function save(content, name) {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
