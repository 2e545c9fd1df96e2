/** Downloads: a take's mix, stems or notes as a file of the user. */

import { Server } from "./server.js";
import { shelved, Store } from "./store.js";
import { inWords } from "./problems.js";

const ENDINGS = { audio: "", stems: "zip", midi: "mid", "score.yaml": "yaml" };
/** Sound formats, with what a second of stereo needs, about. */
export const FORMATS = [
  { format: "wav", name: "WAV", bytes: 176_400 },
  { format: "flac", name: "FLAC", bytes: 100_000 },
  { format: "mp3", name: "MP3", bytes: 24_000 },
  { format: "ogg", name: "Ogg Vorbis", bytes: 20_000 },
  { format: "opus", name: "Opus", bytes: 16_000 },
];

/**
 * Save a file of a take; the announcement says how it went.
 *
 * @param {Store} store
 * @param {Server} server
 * @param {import("./types.js").Take} take one that is listed in the library
 * @param {keyof typeof ENDINGS} kind
 * @param {string} [format] another sound format than that of its file
 */
export async function download(store, server, take, kind, format) {
  const { track } = take;
  if (!track) return;
  const choice = format ? { format } : {};
  const content = server.ask((client) => client.trackFile(track, kind, choice));
  const own = shelved(store.state).find((one) => one.id === track)?.format ?? "wav";
  const file = content.then((bytes) => new Blob([/** @type {BlobPart} */ (bytes)]));
  await saveFile(store, file, `${fileNameOf(take)}.${ENDINGS[kind] || format || own}`);
}

/**
 * Save a file that is on its way; the announcement says how it went.
 *
 * @param {Store} store
 * @param {Promise<Blob>} file
 * @param {string} name
 */
export async function saveFile(store, file, name) {
  store.change({ announcement: "Preparing the download" });
  try {
    save(await file, name);
    store.change({ announcement: "Downloaded" });
  } catch (error) {
    store.change({ notice: inWords(error), announcement: "" });
  }
}

/**
 * Return a name for a take's files, without an ending.
 *
 * @param {import("./types.js").Take} take
 */
export function fileNameOf({ facts, track }) {
  const title = (facts?.title ?? "music").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  return `${title.replace(/^-|-$/g, "") || "music"}-${facts?.seed ?? track ?? "take"}`;
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
