// A call may be stopped, or run out of time, wherever it is.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DeadlineExceeded, Tunesmith } from "tunesmith";
import { network } from "./support/network.js";
import { eventually, held, jobOf, servers, SHORT } from "./support/servers.js";

const SUBMIT = /^POST \/api\/jobs$/;
const WAIT = /\?wait=/;
const AUDIO = /\/audio$/;
const EVENTS = /\/events$/;
const PULL = /\/pull$/;
const PATIENCE_MS = 4000; // far less than what the calls below would otherwise take
const direct = new Tunesmith({ baseUrl: servers.open });

/** Stop a call once `at` is asked for, and check that it ends at once, with the reason. */
async function stopped(troubles, at, begin) {
  const way = await network(servers.open, troubles);
  try {
    const stop = new AbortController();
    const ended = begin(new Tunesmith({ baseUrl: way.url }), { signal: stop.signal }).catch((problem) => problem);
    await eventually(() => way.seen.some(({ what, isMet }) => at.test(what) && (isMet || !troubles.length)));
    const began = performance.now();
    const reason = new Error("enough");
    stop.abort(reason);
    assert.equal(await ended, reason);
    assert.ok(performance.now() - began < PATIENCE_MS);
  } finally {
    await way.close();
  }
}

const all = async (values) => {
  for await (const value of values) assert.ok(value);
};

for (const [where, troubles, at] of [
  ["before the server has the order", [{ on: SUBMIT, silent: true }], SUBMIT],
  ["before the answer to the order comes", [{ on: SUBMIT, hold: true }], SUBMIT],
  ["while the answer to the order comes", [{ on: SUBMIT, drip: 1000 }], SUBMIT],
  ["while the job is waited for", [], WAIT],
]) {
  test(`a call is stopped ${where}, and its job is cancelled`, async () => {
    const { prompt } = held(`stopped ${where}`);
    await stopped(troubles, at, (client, options) => client.generate(prompt, { model: "patient" }, options));
    await eventually(async () => (await jobOf(direct, prompt))?.state === "canceled");
  });
}

const later = { status: 503, headers: { "Retry-After": "60" }, body: "{}" };
for (const [where, troubles, at, begin] of [
  ["in a pause", [{ on: /version/, answer: later }], /version/, (client, options) => client.version(options)],
  ["while a file comes", [{ on: AUDIO, drip: 100 }], AUDIO, (client, options) => client.generate("calm piano", SHORT, options)],
  ["while a stream comes", [{ on: AUDIO, drip: 100 }], AUDIO, (client, options) => all(client.stream("calm piano", SHORT, options))],
  ["before there are news", [{ on: EVENTS, silent: true }], EVENTS, (client, options) => all(client.follow("any", options))],
  ["before a pull begins", [{ on: PULL, silent: true }], PULL, (client, options) => all(client.pull("any", {}, options))],
]) {
  test(`a call is stopped ${where}`, () => stopped(troubles, at, begin));
}

test("who stops waiting does not wait for a server that says nothing any more", async () => {
  const quiet = [SUBMIT, SUBMIT, SUBMIT].map((on) => ({ on, silent: true }));
  await stopped(quiet, SUBMIT, (client, options) => client.generate("calm piano", SHORT, options));
});

for (const on of [/version/, AUDIO]) {
  test(`a body that comes in drips ends at the deadline: ${on}`, async () => {
    const { job } = await direct.generate("calm piano", SHORT);
    const way = await network(servers.open, [{ on, drip: 100 }]);
    try {
      const client = new Tunesmith({ baseUrl: way.url, deadline: 0.5 });
      const began = performance.now();
      await assert.rejects(on === AUDIO ? client.audio(job.id) : client.version(), DeadlineExceeded);
      assert.ok(performance.now() - began < PATIENCE_MS);
    } finally {
      await way.close();
    }
  });
}

test("no time at all asks for nothing", async () => {
  const fetch = () => assert.fail("it was asked for");
  await assert.rejects(new Tunesmith({ fetch, deadline: 0 }).generate("calm piano"), DeadlineExceeded);
});
