import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import * as tunesmith from "tunesmith";
import { servers } from "./support/servers.js";

const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), "..");
const TSC = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const LIMIT_BYTES = 150_000;

// what somebody who uses the package from TypeScript writes; the lines marked so must be refused
const USE = `
import { Clip, ServerBusy, Tunesmith, type GenerationFields, type Job, type JobEvent, type JobNews, type Track, type Wishes } from "tunesmith";

const fields: GenerationFields = { duration: 10, instruments: ["piano"], melody: new Uint8Array(4) };
export async function use(server: Tunesmith): Promise<Job> {
  const clip: Clip = await server.generate("calm piano", fields, { deadline: 10, progress: (job) => job.progress });
  for await (const chunk of server.stream("calm piano")) chunk.byteLength;
  for await (const event of server.follow(clip.job.id)) if (event.state === "succeeded") event.result?.sha256;
  const [track]: Track[] = await server.tracks({ starred: true });
  // @ts-expect-error a rating is a number
  if (track) await server.mark(track.id, { rating: "five" });
  // @ts-expect-error there is no such state
  await server.jobs({ states: ["done"] });
  return clip.job;
}
export const old: [Wishes, JobNews[]] = [fields, [] as JobEvent[]];
export const later = (error: unknown): number | undefined => (error instanceof ServerBusy ? error.retryAfter : undefined);
`;

const run = promisify(execFile);
let folder;
let packed;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "tunesmith-js-"));
  // First it writes the types, which fails where the source is not what they say.
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: PACKAGE });
  [packed] = JSON.parse(stdout.slice(stdout.indexOf("[")));
  const installed = join(folder, "node_modules", "tunesmith");
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, packed.filename), "-C", installed, "--strip-components=1"]);
});

after(() => rm(folder, { recursive: true }));

test("the package holds the source, its types, and what it says of itself", () => {
  const others = packed.files.map(({ path }) => path).filter((path) => !/^(src\/\w+\.js|types\/\w+\.d\.ts)$/.test(path));
  assert.deepEqual(others.sort(), ["LICENSE", "README.md", "package.json"]);
  const names = (pattern) => packed.files.map(({ path }) => pattern.exec(path)?.[1]).filter(Boolean).sort();
  assert.deepEqual(names(/^types\/(\w+)/), names(/^src\/(\w+)/));
  assert.ok(packed.unpackedSize < LIMIT_BYTES);
});

test("it depends on nothing and is of the same version as the rest", async () => {
  const { dependencies, version } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  assert.equal(dependencies, undefined);
  assert.equal(version, /^version = "(.*)"$/m.exec(await readFile(join(PACKAGE, "../../pyproject.toml"), "utf8"))[1]);
});

test("its types hold in a strict program", async () => {
  await writeFile(join(folder, "use.mts"), USE);
  await writeFile(join(folder, "use.cts"), 'export const create = async () => new (await import("tunesmith")).Tunesmith();');
  // TypeScript's own libraries are not checked again; the package's types are. One run for both modules, with the
  // strictest of its options: a compiler that starts costs more than what it checks.
  const options = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--skipDefaultLibCheck", "--module", "nodenext"];
  const given = [TSC, ...options, "--target", "es2022", "--lib", "es2022,dom", "use.mts", "use.cts"];
  const { stdout } = await run(process.execPath, given, { cwd: folder }).catch((error) => error);
  assert.equal(stdout, "");
});

test("a program in CommonJS imports it", async () => {
  const code = 'import("tunesmith").then((it) => console.log(typeof it.Tunesmith, require("tunesmith/package.json").name))';
  await writeFile(join(folder, "use.cjs"), code);
  assert.equal((await run(process.execPath, ["use.cjs"], { cwd: folder })).stdout, "function tunesmith\n");
});

test("its README works from top to bottom", async () => {
  const page = await readFile(join(PACKAGE, "README.md"), "utf8");
  const blocks = [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code);
  assert.ok(blocks.length > 5);
  await writeFile(join(folder, "readme.mjs"), blocks.join("\n").replace("http://127.0.0.1:8765", servers.open));
  const { stdout } = await run(process.execPath, ["readme.mjs"], { cwd: folder });
  assert.match(stdout, /^succeeded 1/m);
  assert.ok((await stat(join(folder, "lofi.wav"))).size > 20 * 44_100 * 2 * 2);
  assert.ok((await stat(join(folder, "piano.mp3"))).size > 10_000);
});

test("the errors of its README's table are all there are", async () => {
  const page = await readFile(join(PACKAGE, "README.md"), "utf8");
  const told = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const errors = Object.keys(tunesmith).filter((name) => tunesmith[name].prototype instanceof tunesmith.TunesmithError);
  assert.deepEqual(told.sort(), errors.sort());
});
