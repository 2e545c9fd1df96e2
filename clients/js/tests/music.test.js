import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, DeadlineExceeded, GenerationFailed, NotFound, ServerBusy, TokenRefused, Tunesmith } from "tunesmith";
import { eventually, held, jobOf, servers, SHORT } from "./support/servers.js";

const client = new Tunesmith({ baseUrl: servers.open });

const text = (bytes) => new TextDecoder("latin1").decode(bytes);
const refused = (call, Kind, expected) =>
  assert.rejects(call, (error) => {
    assert.equal(error.constructor, Kind);
    assert.equal(error.name, Kind.name);
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(error[name], value);
    return true;
  });

async function gathered(pieces) {
  const got = [];
  for await (const piece of pieces) got.push(piece);
  return got;
}

test("music comes with what is known of it", async () => {
  const told = [];
  const progress = (job) => told.push(job);
  const clip = await client.generate("calm piano 114", { ...SHORT, format: "flac" }, { progress });
  assert.equal(text(clip.content.subarray(0, 4)), "fLaC");
  assert.deepEqual(
    [clip.duration, clip.seed, clip.format, clip.mediaType, clip.generatedBy],
    [1, 7, "flac", "audio/flac", "composer"],
  );
  assert.match(clip.warnings.join(), /'114' is not used/);
  assert.equal(clip.content.length, clip.job.result.bytes);
  assert.equal(clip.blob().size, clip.content.length);
  assert.equal(clip.blob().type, "audio/flac");
  assert.deepEqual([told.at(-1).state, told.at(-1).progress], ["succeeded", 1]);
});

test("a stream gives the same file piece by piece", async () => {
  const pieces = await gathered(client.stream("calm piano", { ...SHORT, duration: 4 }));
  const { content } = await client.generate("calm piano", { ...SHORT, duration: 4 });
  assert.ok(pieces.length > 1);
  assert.ok(Buffer.concat(pieces).equals(content));
});

test("a live stream gives the sound while it is made, and a caller who takes no more ends its job", async () => {
  const fields = { duration: 40, seed: 5, format: "wav" };
  const told = [];
  let early = 0;
  for await (const piece of client.stream("calm strings, live", fields, { live: true, progress: (job) => told.push(job.state) })) {
    if (!told.includes("succeeded")) early += piece.length;
  }
  assert.ok(early > 44_100);
  for await (const piece of client.stream("calm strings, left", fields, { live: true })) {
    assert.ok(piece.length);
    break;
  }
  await eventually(async () => ["canceled", "succeeded"].includes((await jobOf(client, "calm strings, left"))?.state));
});

test("recordings go along, as the refusal of a melody by the composer shows", async () => {
  const { content } = await client.generate("calm piano", SHORT);
  for (const melody of [content, new Blob([content])]) {
    await refused(client.generate("calm piano", { ...SHORT, melody }), GenerationFailed, { kind: "InvalidRequest" });
    const sound = client.stream("calm piano", { ...SHORT, melody }, { live: true });
    await refused(gathered(sound), GenerationFailed, { kind: "InvalidRequest" });
  }
});

test("a job is handed in, followed, waited for and fetched", async () => {
  const { prompt, release } = held("followed");
  const job = await client.submit(prompt, { model: "patient" });
  assert.ok(["queued", "loading", "running"].includes(job.state));
  const states = [];
  for await (const news of client.follow(job.id)) {
    states.push(news.state);
    if (news.state === "running") release();
  }
  assert.equal(states.at(-1), "succeeded");
  assert.ok(states.includes("running"));
  assert.equal((await client.wait(job.id)).state, "succeeded");
  const ended = await client.job(job.id);
  for (const known of [job.id, ended]) assert.equal((await client.audio(known)).length, ended.result.bytes);
  assert.ok((await client.jobs({ states: ["succeeded"], limit: 100 })).some(({ id }) => id === job.id));
  assert.equal((await client.jobs({ limit: 1 })).length, 1);
});

test("the same key gives the same job", async () => {
  const jobs = ["one", "one", "two"].map((idempotencyKey) => client.submit("calm piano", SHORT, { idempotencyKey }));
  const [first, again, other] = await Promise.all(jobs);
  assert.equal(first.id, again.id);
  assert.notEqual(first.id, other.id);
});

test("a job that is cancelled ends without music", async () => {
  const { prompt } = held("cancelled");
  const { id } = await client.submit(prompt, { model: "patient" });
  await client.cancel(id);
  assert.equal((await client.wait(id)).state, "canceled");
  await refused(client.audio(id), GenerationFailed, { message: `job ${id}: it was cancelled` });
});

test("who stops waiting has the job cancelled, and gets the reason back", async () => {
  const { prompt } = held("aborted");
  const stop = new AbortController();
  const progress = (job) => job.state === "running" && stop.abort(new Error("enough"));
  const waiting = client.generate(prompt, { model: "patient" }, { signal: stop.signal, progress });
  await assert.rejects(waiting, { message: "enough" });
  await eventually(async () => (await jobOf(client, prompt))?.state === "canceled");
});

test("a stream that is stopped before there is music cancels its job", async () => {
  const { prompt } = held("aborted-stream");
  const stop = new AbortController();
  const progress = (job) => job.state === "running" && stop.abort();
  const stream = client.stream(prompt, { model: "patient" }, { signal: stop.signal, progress });
  await assert.rejects(gathered(stream), { name: "AbortError" });
  await eventually(async () => (await jobOf(client, prompt))?.state === "canceled");
});

test("following stops with its signal and leaves the job alone", async () => {
  const { prompt, release } = held("left-alone");
  const { id } = await client.submit(prompt, { model: "patient" });
  const stop = new AbortController();
  const follow = async () => {
    for await (const news of client.follow(id, { signal: stop.signal })) if (news.state === "running") stop.abort();
  };
  await assert.rejects(follow(), { name: "AbortError" });
  assert.equal((await client.job(id)).state, "running");
  release();
  assert.equal((await client.wait(id)).state, "succeeded");
});

test("following lasts longer than the deadline of other calls, unless it has one of its own", async () => {
  const { prompt, release } = held("patiently");
  const { id } = await client.submit(prompt, { model: "patient" });
  const brief = new Tunesmith({ baseUrl: servers.open, deadline: 1 });
  const follow = async (options) => {
    let last;
    for await (const news of brief.follow(id, options)) last = news;
    return last;
  };
  await refused(follow({ deadline: 0.5 }), DeadlineExceeded, {});
  const following = follow();
  setTimeout(release, 1500);
  assert.equal((await following).state, "succeeded");
});

test("a signal that has fired already lets nothing be asked", async () => {
  const prompt = "never asked for";
  await assert.rejects(client.generate(prompt, SHORT, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(await jobOf(client, prompt), undefined);
});

test("when the deadline passes the job is cancelled", async () => {
  const { prompt } = held("late");
  await refused(client.generate(prompt, { model: "patient" }, { deadline: 0.5 }), DeadlineExceeded, {});
  await eventually(async () => (await jobOf(client, prompt))?.state === "canceled");
});

test("usual other names of fields are known, and null is not given", async () => {
  for (const fields of [{ bpm: 91, length: 1 }, { tempo: 91, duration: 1 }, { tempoBpm: 91, duration: 1 }]) {
    const { id } = await client.submit("calm piano", { ...fields, seed: -1, instruments: null });
    const { request } = await client.job(id);
    assert.deepEqual([request.tempo_bpm, request.duration], [91, 1]);
    await client.cancel(id);
  }
  await refused(client.submit("calm piano", { bmp: 91 }), ApiError, { status: 422, field: "bmp" });
});

test("errors are typed and say what is wrong", async () => {
  await refused(client.generate("calm piano", { duration: -1 }), ApiError, { status: 422, field: "duration" });
  await refused(client.generate("calm piano", { model: "nobody/nothing" }), NotFound, { status: 404 });
  await refused(client.job("none"), NotFound, { kind: "JobNotFound" });
  await refused(client.track("0000000000"), NotFound, { kind: "TrackNotFound" });
  await refused(client.generate("calm piano", { model: "raising" }), GenerationFailed, { kind: "InternalError" });
});

test("a wrong token is refused", async () => {
  const wrong = new Tunesmith({ baseUrl: servers.guarded, token: "ts_wrong" });
  await refused(wrong.generate("calm piano", SHORT), TokenRefused, { status: 401 });
  const right = new Tunesmith({ baseUrl: servers.guarded, token: servers.token });
  assert.equal((await right.generate("calm piano", SHORT)).duration, 1);
});

test("a quota that is spent is told at once, with when to come back", async () => {
  const meagre = new Tunesmith({ baseUrl: servers.guarded, token: servers.meagre });
  assert.equal((await meagre.generate("calm piano", SHORT)).duration, 1);
  await assert.rejects(meagre.generate("calm piano", SHORT), (error) => {
    assert.ok(error instanceof ServerBusy);
    assert.equal(error.status, 429);
    assert.ok(error.retryAfter > 0);
    return true;
  });
});
