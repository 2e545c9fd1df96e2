// Runs the script of a page in node: read from standard input, with just enough of a document around it.
// Submits the page's form, waits until its button can be pressed again, and prints what the page then shows.
import { readFileSync } from "node:fs";

const [, , values] = process.argv;
const elements = new Map();
globalThis.document = {
  getElementById(id) {
    if (!elements.has(id)) elements.set(id, Object.assign(new EventTarget(), { id, value: JSON.parse(values)[id] }));
    return elements.get(id);
  },
};
const script = readFileSync(0, "utf8");
await import(`data:text/javascript,${encodeURIComponent(script)}`);

const make = document.getElementById("make");
const pressedAgain = new Promise((resolve) => {
  let isDisabled = false;
  Object.defineProperty(make, "disabled", {
    get: () => isDisabled,
    set: (now) => {
      if (isDisabled && !now) resolve();
      isDisabled = now;
    },
  });
});
document.getElementById("ask").dispatchEvent(new Event("submit", { cancelable: true }));
await pressedAgain;
const played = document.getElementById("player").src;
const sound = played ? Buffer.from(await (await fetch(played)).arrayBuffer()).toString("base64") : null;
console.log(JSON.stringify({ said: document.getElementById("said").textContent, sound }));
