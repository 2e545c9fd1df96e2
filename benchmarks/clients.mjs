// The JavaScript half of clients.py, which starts it: node clients.mjs SERVER REFUSING_SERVER MODEL ROUNDS
import { Tunesmith } from "../clients/js/src/index.js";

const [url, refusingUrl, model, rounds] = process.argv.slice(2);
const AT_ONCE = 16;
const PIECES = 200;
const STAGES = "2 x40";

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[Math.floor(half)];
};

/** Return the median milliseconds of each, called one after the other. */
async function inTurn(plain, ours) {
  const taken = [[], []];
  for (let round = 0; round < Number(rounds); round += 1) {
    for (const [which, call] of [plain, ours].entries()) {
      const began = performance.now();
      await call();
      taken[which].push(performance.now() - began);
    }
  }
  return taken.map(median);
}

async function posted(query = "") {
  const body = JSON.stringify({ prompt: "0", model });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${url}/api/generate${query}`, { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer;
}

/** Take the first chunk, and the rest, so that the next call finds the connection free. */
async function firstChunk(chunks) {
  const began = performance.now();
  let first;
  for await (const chunk of chunks) first ??= chunk.length && performance.now() - began;
  return first;
}

async function firstChunks(client) {
  const times = [[], []];
  const plain = async function* () {
    yield* (await posted("?stream=true")).body;
  };
  for (let round = 0; round < Number(rounds); round += 1) {
    times[0].push(await firstChunk(plain()));
    times[1].push(await firstChunk(client.stream("0", { model })));
  }
  return times.map(median);
}

/** Return how many milliseconds after each stage began `follow` tells of it. */
async function lateness(client) {
  const late = new Map();
  const { id } = await client.submit(STAGES, { model });
  for await (const { stage } of client.follow(id)) {
    const now = performance.timeOrigin + performance.now();
    if (/^\d+\.\d+$/.test(stage) && !late.has(stage)) late.set(stage, now - Number(stage) * 1000);
  }
  return [...late.values()];
}

async function piecesPerSecond(client) {
  const began = performance.now();
  let left = PIECES;
  const worker = async () => {
    while (left-- > 0) await client.generate("0", { model });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (PIECES / (performance.now() - began)) * 1000;
}

const client = new Tunesmith({ baseUrl: url });
const refused = new Tunesmith({ baseUrl: refusingUrl });
const [plain, ours] = await inTurn(async () => (await posted()).arrayBuffer(), () => client.generate("0", { model }));
const [plainChunk, chunk] = await firstChunks(client);
const late = await lateness(client);
const rates = [await piecesPerSecond(client), await piecesPerSecond(client), await piecesPerSecond(client)];
await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => refused.job(`javascript${at}`)));
console.log(
  JSON.stringify({
    plain_ms: plain,
    client_ms: ours,
    first_chunk_plain_ms: plainChunk,
    first_chunk_client_ms: chunk,
    progress_late_ms: median(late),
    progress_late_worst_ms: Math.max(...late),
    pieces_per_s: median(rates),
  }),
);
