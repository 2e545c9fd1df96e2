// The servers that tests/run.js has started, and clients of them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { Tunesmith } from "tunesmith";

export const servers = JSON.parse(process.env.TUNESMITH_TEST_SERVERS ?? "{}");

/** A short piece that is always the same. */
export const SHORT = { duration: 1, seed: 7 };

/** Return a client whose pauses are a thousand times shorter than asked for, and the pauses that were asked for. */
export function hasty(baseUrl, options = {}) {
  const pauses = [];
  const time = {
    now: () => performance.now() / 1000,
    random: () => 0.5,
    sleep: (seconds, signal) => {
      pauses.push(seconds);
      signal?.throwIfAborted();
      return new Promise((resolve) => setTimeout(resolve, seconds));
    },
  };
  return { client: new Tunesmith({ baseUrl, time, ...options }), pauses };
}

/** Return a prompt that the generator `patient` plays until it is cancelled or `release` is called. */
export function held(name) {
  const prompt = join(servers.folder, `${name}-${process.pid}`);
  return { prompt, release: () => writeFileSync(prompt, "") };
}

/** Return the newest job with a prompt. */
export async function jobOf(client, prompt) {
  return (await client.jobs({ limit: 100 })).find((job) => job.prompt === prompt);
}

/** Wait until a condition holds and return what it gave; fails rather than wait for ever. */
export async function eventually(condition) {
  const end = performance.now() + 30_000;
  for (;;) {
    const got = await condition();
    if (got) return got;
    if (performance.now() > end) throw new Error(`waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
