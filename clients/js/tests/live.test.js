import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { InvalidRequest, Tunesmith } from "tunesmith";
import { servers } from "./support/servers.js";

const run = promisify(execFile);

/** What a listener does, in a Node that has WebSocket: it reports what it heard as JSON. */
const LISTENER = `
import { Tunesmith } from "tunesmith";

const [open, guarded, token] = process.argv.slice(1);
const positions = [];
const heard = [];
const live = await new Tunesmith({ baseUrl: open }).live(
  "lofi", { model: "counting", seed: 3, notes: new Set([60]) }, { message: ({ type }) => heard.push(type) });
live.change({ blend: 0.2, notes: [64], drums: "loud" });
for await (const { channels, change, position } of live) {
  positions.push(position, channels[0][0] * 2 ** 20, channels[0].at(-1) * 2 ** 20, -channels[1][0] * 2 ** 20);
  if (change === 1) live.stop();
}
const refused = await new Tunesmith({ baseUrl: guarded }).live("lofi", { model: "sines" }).catch((error) => error);
const wrong = await new Tunesmith({ baseUrl: open }).live("lofi", { model: "sines", blend: 2 }).catch((error) => error);
const mine = await new Tunesmith({ baseUrl: guarded, token }).live("lofi", { model: "sines" });
mine.close();
const gone = await new Tunesmith({ baseUrl: "http://127.0.0.1:9" }).live("lofi").catch((error) => error);
const about = ({ name, message, field, status }) => ({ name, message, field, status });
console.log(JSON.stringify({
  positions, heard, settings: live.settings, reason: live.reason, seed: live.started.seed,
  problems: live.problems.map(about), refused: about(refused), wrong: about(wrong), gone: gone.name,
}));
process.exit();
`;

async function listened() {
  const flags = globalThis.WebSocket ? [] : ["--experimental-websocket", "--no-warnings"];
  const arguments_ = [...flags, "--input-type=module", "-e", LISTENER, servers.open, servers.guarded, servers.token];
  return JSON.parse((await run(process.execPath, arguments_, { cwd: new URL("..", import.meta.url) })).stdout);
}

test("a live stream is heard without a gap, and steered", async () => {
  const { positions, heard, settings, reason, seed, problems, refused, wrong, gone } = await listened();
  let next = 0;
  for (let index = 0; index < positions.length; index += 4) {
    const [position, first, last, right] = positions.slice(index, index + 4);
    assert.deepEqual([position, first, right], [next, next, next]);
    next = last + 1;
  }
  assert.ok(next > 0);
  assert.deepEqual([settings.notes, settings.blend, reason, seed], [[64], 0.2, "stopped", 3]);
  assert.deepEqual(problems, [{ name: "ApiError", message: "drums: must be true or false, got 'loud'", field: "drums", status: 422 }]);
  assert.ok(["started", "error", "changed", "ended"].every((kind) => heard.includes(kind)));
  assert.deepEqual([refused.name, refused.status], ["TokenRefused", 401]);
  assert.deepEqual([wrong.name, wrong.field], ["ApiError", "blend"]);
  assert.equal(gone, "ServerUnreachable");
});

test("a platform without WebSocket is named", async () => {
  const none = new Tunesmith({ baseUrl: servers.open }).live("lofi", {}, { WebSocket: null });
  await assert.rejects(none, (error) => error instanceof InvalidRequest && error.field === "WebSocket");
});
