import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { ApiError, DeadlineExceeded, InvalidRequest, ServerBusy, ServerUnreachable, Tunesmith } from "tunesmith";
import { network } from "./support/network.js";
import { hasty, held, servers, SHORT } from "./support/servers.js";

const SUBMIT = /^POST \/api\/jobs$/;
const AUDIO = /^GET .*\/audio$/;
const EVENTS = /^GET .*\/events$/;
const VERSION = /^GET \/api\/version$/;

/** Pass on what a test needs: a network with troubles and a hasty client in it. */
function withTroubles(name, troubles, check, options = {}) {
  test(name, async () => {
    const way = await network(servers.open, troubles);
    try {
      await check({ ...hasty(way.url, options), seen: way.seen });
    } finally {
      await way.close();
    }
  });
}

const times = (number, trouble) => Array.from({ length: number }, () => trouble);
const answer = (status, headers = {}, body = "{}") => ({ on: VERSION, answer: { status, headers, body } });

withTroubles(
  "a request whose answer is lost is repeated and makes no second track",
  times(2, { on: SUBMIT, lose: true }),
  async ({ client, seen }) => {
    const prompt = `a lost answer ${process.pid}`;
    assert.equal((await client.generate(prompt, SHORT)).duration, 1);
    const keys = seen.filter(({ what }) => SUBMIT.test(what)).map(({ key }) => key);
    assert.equal(keys.length, 3);
    assert.equal(new Set(keys).size, 1);
    assert.equal((await client.jobs({ limit: 100 })).filter((job) => job.prompt === prompt).length, 1);
  },
);

withTroubles(
  "music whose every answer is lost once is made once",
  [SUBMIT, SUBMIT, /\?wait=/, AUDIO].map((on) => ({ on, lose: true })),
  async ({ client, seen }) => {
    const prompt = `every answer lost ${process.pid}`;
    const { content, job } = await client.generate(prompt, SHORT);
    assert.ok(Buffer.from(content).equals(Buffer.from(await client.audio(job.id))));
    assert.equal(new Set(seen.filter(({ what }) => SUBMIT.test(what)).map(({ key }) => key)).size, 1);
    assert.equal((await client.tracks({ search: prompt })).length, 1);
  },
);

withTroubles("two requests have two keys", [], async ({ client, seen }) => {
  await Promise.all([client.submit("calm piano", SHORT), client.submit("calm piano", SHORT)]);
  assert.equal(new Set(seen.map(({ key }) => key)).size, 2);
});

withTroubles(
  "a busy server is asked again when it says",
  [answer(429, { "Retry-After": "7" }), answer(503, {}, '{"error": "loading", "estimated_time": 20}'), answer(502)],
  async ({ client, pauses }) => {
    const heard = [];
    const waiting = (seconds, problem) => heard.push([seconds, problem instanceof ServerBusy]);
    assert.match(await client.version({ waiting }), /^\d/);
    assert.deepEqual(pauses, [7.5, 20.5, 2]);
    assert.deepEqual(heard.slice(0, 2), [[7.5, true], [20.5, true]]);
    assert.equal(heard.length, 3);
  },
);

withTroubles(
  "what would take longer than the deadline is told at once",
  [answer(503, { "Retry-After": "600" }, '{"error": {"type": "QueueFull", "message": "the queue is full"}}')],
  async ({ client, pauses }) => {
    await assert.rejects(client.version(), (error) => {
      assert.ok(error instanceof ServerBusy);
      assert.deepEqual([error.message, error.kind, error.retryAfter], ["the queue is full", "QueueFull", 600]);
      return true;
    });
    assert.deepEqual(pauses, []);
  },
);

withTroubles(
  "a server that is gone for a moment is found again",
  times(3, { on: VERSION, lose: true }),
  async ({ client, pauses }) => {
    assert.match(await client.version(), /^\d/);
    assert.deepEqual(pauses, [0.5, 1, 2]);
  },
);

withTroubles("what breaks off in the middle is asked for again", [{ on: VERSION, cut: 5 }], async ({ client }) => {
  assert.match(await client.version(), /^\d/);
});

withTroubles(
  "a file that breaks off goes on where it broke",
  [{ on: AUDIO, cut: 1000 }, { on: AUDIO, cut: 500 }],
  async ({ client, seen }) => {
    const { content, job } = await client.generate("calm piano", SHORT);
    assert.equal(content.length, job.result.bytes);
    assert.ok(Buffer.from(content).equals(Buffer.from(await client.audio(job.id))));
    const ranges = seen.filter(({ what }) => AUDIO.test(what)).map(({ range }) => range);
    assert.deepEqual(ranges, [undefined, "bytes=1000-", "bytes=1500-", undefined]);
  },
);

withTroubles(
  "a file that breaks off is right from a server without ranges too",
  [{ on: AUDIO, cut: 1000 }, { on: AUDIO, deaf: true }],
  async ({ client }) => {
    const { content, job } = await client.generate("calm piano", SHORT);
    assert.ok(Buffer.from(content).equals(Buffer.from(await client.audio(job.id))));
  },
);

withTroubles(
  "events that break off are opened again",
  [{ on: EVENTS, cut: 20 }, { on: EVENTS, lose: true }],
  async ({ client, seen }) => {
    const { prompt, release } = held("broken-events");
    const { id } = await client.submit(prompt, { model: "patient" });
    release();
    let last;
    for await (const job of client.follow(id)) last = job;
    assert.equal(last.state, "succeeded");
    assert.ok(seen.filter(({ what }) => EVENTS.test(what)).length >= 2);
  },
);

withTroubles("a server that never answers is waited for until the deadline", [{ on: VERSION, silent: true }], async ({ client }) => {
  const began = performance.now();
  await assert.rejects(client.version({ deadline: 0.3 }), DeadlineExceeded);
  assert.ok(performance.now() - began < 5000);
});

withTroubles("a signal ends a request that is under way", [{ on: VERSION, silent: true }], async ({ client }) => {
  const signal = AbortSignal.timeout(100);
  await assert.rejects(client.version({ signal }), { name: "TimeoutError" });
});

test("what is no Tunesmith server is told from one", async () => {
  for (const body of ["<html>hello</html>", "{}", "[]", "null", '"hello"']) {
    const fetch = async () => new Response(body);
    const client = new Tunesmith({ baseUrl: "http://music.invalid", fetch });
    const calls = [
      () => client.version(),
      () => client.job("one"),
      () => client.jobs(),
      () => client.tracks(),
      () => client.models(),
      () => client.loaded(),
      () => client.submit("piano"),
      () => client.generate("piano"),
      () => client.vary("one"),
    ];
    for (const call of calls) {
      const told = (error) => error instanceof ApiError && /not a response of a Tunesmith/.test(error.message);
      await assert.rejects(call, told, `${call} of ${body}`);
    }
  }
});

test("news of something else are told from a Tunesmith server's", async () => {
  for (const data of ["<html>", "[]", "{}"]) {
    const fetch = async () => new Response(`: hello\n\ndata: ${data}\n\n`);
    const news = new Tunesmith({ baseUrl: "http://music.invalid", fetch }).follow("one");
    await assert.rejects(news.next(), (error) => error instanceof ApiError && /not a response of a Tunesmith/.test(error.message));
  }
});

withTroubles(
  "what reads follows redirections, and an order says where it was sent",
  [
    { on: SUBMIT, answer: { status: 301, headers: { Location: "https://music.example.com/api/jobs" } } },
    { on: VERSION, answer: { status: 302, headers: { Location: `${servers.open}/api/version` } } },
  ],
  async ({ client, seen }) => {
    await assert.rejects(client.submit("calm piano", SHORT), (error) => {
      assert.ok(error instanceof ApiError);
      assert.match(error.message, /redirects to https:\/\/music\.example\.com\/api\/jobs; use that URL as baseUrl/);
      return true;
    });
    assert.match(await client.version(), /^\d/);
    assert.equal(seen.length, 2);
  },
);

withTroubles("a server that bids come back at once is not hammered", [answer(503, { "Retry-After": "0" })], async (way) => {
  assert.match(await way.client.version(), /^\d/);
  assert.deepEqual(way.pauses, [0.5]);
});

test("a server may be under a path", async () => {
  const way = await network(servers.open, [], "/studio/music");
  try {
    const client = new Tunesmith({ baseUrl: `${way.url}/` });
    const { content, job } = await client.generate("calm piano", SHORT);
    assert.equal(content.length, job.result.bytes);
    for await (const { state } of client.follow(job.id)) assert.equal(state, "succeeded");
    const [track] = await client.tracks({ limit: 1 });
    assert.equal((await client.trackFile(track.id)).length, content.length);
    assert.equal((await client.vary(track.id, 1)).length, 1);
  } finally {
    await way.close();
  }
});

test("an address is refused where fetch would refuse it, without telling the password", () => {
  for (const [baseUrl, told] of [
    ["http://me:secret@127.0.0.1:1", /^baseUrl: must not contain a user or password/],
    ["http://127.0.0.1:1/?a=secret", /^baseUrl: must have no query or fragment/],
    ["http://127.0.0.1:99999", /^baseUrl: must be a URL/],
  ]) {
    assert.throws(
      () => new Tunesmith({ baseUrl }),
      (error) => error instanceof InvalidRequest && told.test(error.message) && !error.message.includes("secret"),
    );
  }
});

test("neither token nor its header is shown", () => {
  const client = new Tunesmith({ baseUrl: servers.open, token: "ts_secret" });
  assert.ok(!`${inspect(client, { depth: 9, showHidden: true })}${JSON.stringify(client)}`.includes("ts_secret"));
});

withTroubles("an error page of a proxy is told in short", [answer(418, {}, "x".repeat(9999))], async ({ client }) => {
  await assert.rejects(client.version(), (error) => error.status === 418 && error.message.length === 200);
});

test("a server that is not there is tried four times", async () => {
  const way = await network(servers.open);
  await way.close();
  const { client, pauses } = hasty(way.url);
  await assert.rejects(client.version(), (error) => error instanceof ServerUnreachable && error.message.includes(way.url));
  assert.equal(pauses.length, 3);
});

test("fetch may be another, also one that must not be a method, like a browser's", async () => {
  const asked = [];
  const fetch = async function (url, { headers }) {
    assert.equal(this, undefined);
    asked.push([url, headers.Authorization]);
    return new Response('{"version": "9.9"}');
  };
  const client = new Tunesmith({ baseUrl: "https://music.example.com/ours/", token: "ts_x", fetch });
  assert.equal(await client.version(), "9.9");
  assert.deepEqual(asked, [["https://music.example.com/ours/api/version", "Bearer ts_x"]]);
});
