/** "Use it": the take's request as a program, to copy. */

import { copyText } from "./copying.js";
import { fileNameOf } from "./downloads.js";
import { button, byId } from "./dom.js";
import { token } from "./keeping.js";
import { LANGUAGES, snippet } from "./snippets.js";

/**
 * @typedef {import("./types.js").Take} Take
 * @typedef {import("./snippets.js").Language} Language
 */

/**
 * @param {Take} take
 */
export function openUse(take) {
  show(take, "Shell");
  byId("code", HTMLDialogElement).showModal();
}

/**
 * @param {Take} take
 * @param {Language} chosen
 */
function show(take, chosen) {
  const server = new URL(".", document.baseURI).href.replace(/\/$/, "");
  const request = { ...take.request, seed: take.facts?.seed ?? take.request.seed };
  const program = { server, needsToken: token.get() !== undefined, file: fileNameOf(take) };
  const text = snippet(chosen, request, program);
  const tabs = LANGUAGES.map((language) =>
    button("", language, () => show(take, language), {
      role: "tab",
      id: `code-${language}`,
      "aria-selected": language === chosen,
      "aria-controls": "snippet",
      tabindex: language === chosen ? 0 : -1,
    }),
  );
  const hadFocus = byId("languages").contains(document.activeElement);
  byId("languages").replaceChildren(...tabs);
  if (hadFocus) tabs[LANGUAGES.indexOf(chosen)]?.focus();
  byId("languages").onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) show(take, LANGUAGES[(LANGUAGES.indexOf(chosen) + step + LANGUAGES.length) % LANGUAGES.length] ?? chosen);
  };
  byId("snippet").textContent = text;
  byId("snippet").setAttribute("aria-labelledby", `code-${chosen}`);
  byId("copied").textContent = "";
  byId("copy").onclick = () => void copyText(text, byId("copied"), byId("snippet"));
}
