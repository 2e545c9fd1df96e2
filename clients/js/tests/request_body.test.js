import assert from "node:assert/strict";
import { test } from "node:test";

import { newKey, requestFields } from "../src/request_body.js";

const BYTES = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256);

test("recordings go as base64 whatever holds their bytes", async () => {
  const expected = Buffer.from(BYTES).toString("base64");
  const around = new Uint8Array([0, ...BYTES, 0]).subarray(1, -1);
  for (const melody of [BYTES, around, Buffer.from(BYTES), BYTES.buffer, new Blob([BYTES])]) {
    assert.deepEqual(await requestFields("lofi", { melody }), { prompt: "lofi", melody: expected });
  }
  const melody = "https://example.com/tune.wav";
  assert.deepEqual(await requestFields("lofi", { melody }), { prompt: "lofi", melody });
});

test("what is left open is left to the server", async () => {
  const wishes = { seed: undefined, bpm: null, duration: 0, loop: false, without: ["drums"] };
  assert.deepEqual(await requestFields("lofi", wishes), { prompt: "lofi", duration: 0, loop: false, without: ["drums"] });
});

test("keys are new each time, with and without the platform's crypto", () => {
  const known = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  const keys = new Set(Array.from({ length: 500 }, () => newKey()));
  try {
    Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
    for (let more = 0; more < 500; more += 1) keys.add(newKey());
  } finally {
    if (known) Object.defineProperty(globalThis, "crypto", known);
    else delete globalThis.crypto;
  }
  assert.equal(keys.size, 1000);
  for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/);
});
