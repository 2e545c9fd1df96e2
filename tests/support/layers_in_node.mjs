// Plays the layers of a manifest with examples/layers.js in a Web Audio that only notes what it was told.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const [example, manifest] = process.argv.slice(2);
const told = { sources: [], gains: [] };

globalThis.fetch = async (url) => new Response(await readFile(fileURLToPath(url)));
globalThis.GainNode = class {
  constructor() {
    const row = [];
    told.gains.push(row);
    this.gain = { setTargetAtTime: (value) => row.push(Math.round(1e6 * value) / 1e6) };
  }
  connect(next) {
    return next;
  }
};
globalThis.AudioBufferSourceNode = class {
  constructor(_, options) {
    this.options = options;
  }
  connect(next) {
    return next;
  }
  start(at) {
    told.sources.push({ ...this.options, at });
  }
};
const context = { currentTime: 2, decodeAudioData: async (bytes) => bytes.byteLength };

const { LayeredMusic } = await import(example);
const music = await LayeredMusic.load(context, manifest);
music.start();
for (const intensity of [0.3, 0.45, 0.6, 0.9, 1, 2]) music.intensity(intensity);
console.log(JSON.stringify(told));
