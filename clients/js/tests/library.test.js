import assert from "node:assert/strict";
import { test } from "node:test";

import { InvalidRequest, NotFound, Tunesmith } from "tunesmith";
import { servers, SHORT } from "./support/servers.js";

const client = new Tunesmith({ baseUrl: `${servers.open}/` });

test("what was made is found, starred, rated, tagged and forgotten", async () => {
  const clip = await client.generate("a harpsichord under water", SHORT);
  const [track] = await client.tracks({ search: "harpsichord water" });
  assert.deepEqual([track.prompt, track.seed, track.job], ["a harpsichord under water", 7, clip.job.id]);
  assert.deepEqual(await client.track(track.id), track);
  assert.deepEqual(Buffer.from(await client.trackFile(track.id)), Buffer.from(clip.content));

  const marked = await client.mark(track.id, { starred: true, rating: 5, tags: ["intro"] });
  assert.deepEqual([marked.starred, marked.rating, marked.tags], [true, 5, ["intro"]]);
  const found = await client.tracks({ starred: true, tag: "intro", model: "composer", limit: 3 });
  assert.deepEqual(found.map(({ id }) => id), [track.id]);
  assert.equal((await client.mark(track.id, { starred: false })).rating, 5);

  await client.forget(track.id);
  await assert.rejects(client.track(track.id), NotFound);
  assert.deepEqual(await client.tracks({ search: "harpsichord water" }), []);
});

test("all tracks are gone through however many", async () => {
  for (const seed of [1, 2, 3]) await client.generate("a celesta in the snow", { duration: 1, seed });
  const seeds = [];
  for await (const { seed } of client.eachTrack({ search: "celesta snow", limit: 2 })) seeds.push(seed);
  assert.deepEqual(seeds, [3, 2, 1]);
  const { tracks, total } = await client.trackPage({ search: "celesta snow", limit: 1, offset: 2 });
  assert.deepEqual([total, tracks.map(({ seed }) => seed)], [3, [1]]);
  assert.equal((await client.trackPage({ search: "celesta snow", loop: true })).total, 0);
});

test("a track is varied with other seeds and gives its notes and parts", async () => {
  await client.generate("a music box in the attic", SHORT);
  const [track] = await client.tracks({ search: "attic" });
  const score = await client.trackScore(track.id);
  assert.deepEqual([score.title, score.figure, score.is_exact], [track.title, track.figure, true]);
  assert.ok(score.parts.every(({ notes }) => notes.every((note) => note.length === 4)));
  assert.deepEqual(await client.score(track.job), score);
  const { points, peak, rms } = await client.trackPeaks(track.id, 50);
  assert.deepEqual([points, peak.length, rms.length], [50, 50, 50]);
  const jobs = await client.vary(track.id, 2);
  const ended = await Promise.all(jobs.map(({ id }) => client.wait(id)));
  assert.deepEqual(ended.map(({ state, request }) => [state, request.seed]), [["succeeded", 8], ["succeeded", 9]]);
  const edited = await client.editScore(track.id, { chords: { 1: "Abmaj7" } });
  assert.deepEqual(edited.request.score_edits, ["chord 1=Abmaj7"]);
  assert.equal((await client.score(edited.id)).chords[0].name, "Abmaj7");
  const slower = await client.again(track.id, { prompt: "slower, glitter", key: "D minor" });
  assert.deepEqual(await client.understand(track.id, { prompt: "slower, glitter", key: "D minor" }), slower.change);
  assert.deepEqual([slower.seed, slower.change.not_understood], [track.seed, ["glitter"]]);
  assert.deepEqual(slower.change.changes.map(({ field }) => field).sort(), ["key", "tempo"]);
  assert.ok((await client.tree(track.id)).children.some(({ changed }) => changed.includes("key D minor")));
  await assert.rejects(client.again(track.id, "glitter"), /change nothing: not understood/);
  assert.equal(Buffer.from(await client.trackFile(track.id, "midi")).toString("latin1", 0, 4), "MThd");
  assert.equal(Buffer.from(await client.trackFile(track.id, "stems", { mastered: true })).toString("latin1", 0, 2), "PK");
});

test("a track and a file are edited, and a file is had in another format", async () => {
  await client.generate("a barrel organ in the rain", SHORT);
  const [track] = await client.tracks({ search: "barrel organ" });
  const flac = await client.trackFile(track.id, "audio", { format: "flac" });
  assert.equal(Buffer.from(flac).toString("latin1", 0, 4), "fLaC");
  const both = await client.edit("stitch", [track.id, new Blob([flac])], { format: "flac", crossfade: 0.2 });
  assert.equal(Buffer.from(both).toString("latin1", 0, 4), "fLaC");
  await assert.rejects(client.edit("fit", [track.id]), /duration: is needed/);
  await client.unload("composer");
});

test("the server tells of its models, what it understands, and itself", async () => {
  const models = await client.models();
  assert.ok(models.find(({ name }) => name === "composer").installed);
  assert.ok(Array.isArray(await client.loaded()));
  const { reasons, answers } = await client.explain("calm piano, 90 bpm", { key: "Bb minor" });
  const key = answers.find((one) => one.field === "key");
  assert.deepEqual([key?.label, key?.is_locked], ["B♭ minor", true]);
  assert.ok(reasons.some(({ field, value }) => field === "tempo" || value.includes("90")));
  assert.match(await client.version(), /^\d+\.\d+/);
});

test("a pull of what does not exist says so", async () => {
  const pulling = async () => {
    for await (const told of client.pull("no-such-model")) assert.ok(told);
  };
  await assert.rejects(pulling(), NotFound);
});

test("addresses and tokens that cannot be are refused by name, and the token is not told", () => {
  for (const baseUrl of ["", "localhost:8765", "ftp://x", "http://", "http://[::1", "http://a b"]) {
    assert.throws(() => new Tunesmith({ baseUrl }), (error) => error instanceof InvalidRequest && error.field === "baseUrl");
  }
  for (const options of [{ url: servers.open }, { baseURL: servers.open }]) {
    const [name] = Object.keys(options);
    assert.throws(() => new Tunesmith(options), (error) => error instanceof InvalidRequest && error.field === name);
  }
  assert.equal(new Tunesmith(`${servers.open}/`).baseUrl, servers.open);
  const wrong = () => new Tunesmith({ baseUrl: "http://127.0.0.1", token: "ts_secret\n" });
  assert.throws(wrong, (error) => error instanceof InvalidRequest && !error.message.includes("secret"));
  assert.ok(!JSON.stringify(new Tunesmith({ token: "ts_secret" })).includes("secret"));
});

test("address and token come from the environment where nothing else is said", async () => {
  process.env.TUNESMITH_URL = servers.guarded;
  process.env.TUNESMITH_TOKEN = servers.token;
  try {
    assert.ok(Array.isArray(await new Tunesmith().tracks()));
  } finally {
    delete process.env.TUNESMITH_URL;
    delete process.env.TUNESMITH_TOKEN;
  }
});
