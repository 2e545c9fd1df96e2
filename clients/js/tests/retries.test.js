import assert from "node:assert/strict";
import { test } from "node:test";

import { mayPass, pauseAfter, retryAfter } from "../src/retries.js";

const NOW = Date.parse("2026-01-01T00:00:00Z");

test("pauses are drawn from nothing to a limit that doubles up to eight seconds", () => {
  const limits = [1, 2, 3, 4, 5, 9].map((attempt) => pauseAfter(attempt, undefined, () => 1));
  assert.deepEqual(limits, [1, 2, 4, 8, 8, 8]);
  assert.equal(pauseAfter(3, undefined, () => 0), 0);
  assert.equal(pauseAfter(3, undefined, () => 0.25), 1);
});

test("a pause is never shorter than the server asks for, and at most a second longer", () => {
  assert.equal(pauseAfter(1, 30, () => 0), 30);
  assert.equal(pauseAfter(1, 30, () => 1), 31);
  assert.equal(pauseAfter(1, 2, () => 1), 2.5);
  assert.equal(pauseAfter(1, 0, () => 1), 1); // or else a server that bids so would be asked without end
});

test("the server asks for a pause in seconds, by a date, or by how long a model takes to load", () => {
  const asked = (header, body = "") => retryAfter(new Headers(header ? { "retry-after": header } : {}), body, NOW);
  assert.equal(asked("7"), 7);
  assert.equal(asked("1.5"), 1.5);
  assert.equal(asked("Thu, 01 Jan 2026 00:00:05 GMT"), 5);
  assert.equal(asked("Wed, 31 Dec 2025 23:00:00 GMT"), 0);
  assert.equal(asked("", '{"error": "loading", "estimated_time": 23.4}'), 23.4);
  for (const no of ["soon", "soon 7", "-1", "3 seconds"]) assert.equal(asked(no, '{"estimated_time": 2}'), 2);
  assert.equal(asked("", "<html>"), undefined);
  assert.equal(asked("", '{"estimated_time": "soon"}'), undefined);
});

test("only what may be another the next time is tried again", () => {
  assert.deepEqual([408, 425, 429, 502, 503, 504].filter(mayPass), [408, 425, 429, 502, 503, 504]);
  assert.deepEqual([400, 401, 403, 404, 409, 413, 422, 500].filter(mayPass), []);
});
