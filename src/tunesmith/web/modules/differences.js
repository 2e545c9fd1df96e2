/** What sets a variation apart from others of its prompt, in words. */

import { capital, counted, signed } from "./words.js";

/** Every lock keeps these too. */
const ALWAYS = ["genre", "meter"];
/** Fields that say nothing about what makes a variation another one: its row shows them, or all of them have them. */
const PLAIN = ["prompt", "model", "seed", "duration", "bars", "form", "loop", "format", "sample_rate", "mono"];

/**
 * Return what a track changes of its parent: its locks in one word, and its mood without the numbers.
 *
 * @param {string} changed parts such as "lock melody, key; mood bright, calm (0.4,-0.6); seed 12"
 */
export function changedInWords(changed) {
  const parts = changed.split("; ");
  const locked = parts.flatMap((part) => /^lock (?!no longer )([\w, ]+)$/.exec(part)?.[1]?.split(", ") ?? []);
  const locks = locked.filter((name) => !ALWAYS.includes(name));
  const others = parts.filter((part) => !part.startsWith("lock "));
  const words = others.map(inWords);
  return capital([...(locks.length ? [`keeps ${locks.join(", ")}`] : []), ...words].join("; "));
}

/**
 * Return what a request asks for beside its prompt, as `changedInWords` does; empty where nothing.
 *
 * @param {Record<string, unknown>} request
 */
export function askedInWords(request) {
  const asked = Object.entries(request).filter(([name, value]) => !PLAIN.includes(name) && hasValue(value));
  return changedInWords(asked.flatMap(([name, value]) => partsOf(name, value)).join("; "));
}

/** @param {unknown} value */
function hasValue(value) {
  return value !== null && value !== false && !(Array.isArray(value) && !value.length);
}

/** @param {string} name @param {unknown} value */
function partsOf(name, value) {
  if (name === "hits" && Array.isArray(value)) return [counted(value.length, "hit")];
  if (name === "lock" && Array.isArray(value)) return [`lock ${value.map((lock) => lock.split("=", 1)[0]).join(", ")}`];
  return [`${name} ${Array.isArray(value) ? value.join(", ") : value}`];
}

/** @param {string} part such as "tempo_bpm 64" */
function inWords(part) {
  if (/^mood [\d.,\s-]+$/.test(part)) return "another mood";
  if (part.startsWith("mood ")) return part.replace(/ \([\d.,\s-]+\)$/, "");
  const [name, value] = [part.split(" ", 1)[0], part.slice(part.indexOf(" ") + 1)];
  if (name === "tempo_bpm") return `${value} bpm`;
  if (name === "key") return signed(value);
  if (name === "instruments") return `with ${value.replaceAll("+", "").replaceAll("_", " ")}`;
  if (name === "score_edits") return editsInWords(value);
  return part.replaceAll("_", " ");
}

/** @param {string} edits such as "chord 5=Abmaj7, sections A A=8" */
function editsInWords(edits) {
  const [last = "", ...before] = edits.split(", ").reverse();
  return before.length ? `${editInWords(last)} and ${counted(before.length, "edit")} more` : editInWords(last);
}

/** @param {string} edit such as "chord 5=Abmaj7" */
function editInWords(edit) {
  const [, kind, value = ""] = /^(\w+) (.*)$/.exec(edit) ?? [];
  if (kind === "sections") return value.replaceAll(/=\d+/g, "").replaceAll(" ", ", ");
  if (kind !== "chord") return edit;
  const [bar, names = ""] = value.split("=");
  return `bar ${bar}: ${names.replaceAll(/:[\d.]+/g, "").split(" ").map(signed).join(" ")}`;
}
