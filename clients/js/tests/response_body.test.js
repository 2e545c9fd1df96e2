import assert from "node:assert/strict";
import { test } from "node:test";

import { events } from "../src/response_body.js";

const STREAM = ": hello\r\n\r\nevent: queued\ndata: {\"a\":\ndata: 1}\n\nid: 3\rdata:café ♪\r\rretry: 5\n\nevent: lost\ndata: unfinished";
const EVENTS = [
  { kind: "queued", text: '{"a":\n1}' },
  { kind: "message", text: "café ♪" },
];

async function* inPieces(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes, size) {
  const got = [];
  for await (const event of events(inPieces(bytes, size))) got.push(event);
  return got;
}

test("events are the same however their bytes are cut into pieces", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  for (let size = 1; size <= bytes.length; size += 1) assert.deepEqual(await read(bytes, size), EVENTS);
});

test("a stream may end with a carriage return", async () => {
  assert.deepEqual(await read(new TextEncoder().encode("data: x\r\r"), 4), [{ kind: "message", text: "x" }]);
});
