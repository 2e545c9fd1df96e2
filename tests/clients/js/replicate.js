// Replicate's own JavaScript client, unmodified: only the base URL is ours.
import { File } from "node:buffer";
import { webcrypto } from "node:crypto";

import Replicate, { parseProgressFromLogs, validateWebhook } from "replicate";
import { run, sleep, sound, told } from "./cases.js";

const client = ({ url, token = "r8_any", ...options }) => new Replicate({ auth: token, baseUrl: `${url}/v1`, ...options });

/** Poll a prediction until a condition holds; whoever runs this script bounds the time. */
async function until(replicate, id, condition) {
  for (;;) {
    const prediction = await replicate.predictions.get(id);
    if (condition(prediction)) return prediction;
    await sleep(0.02);
  }
}

const isOver = ({ status }) => ["succeeded", "failed", "canceled"].includes(status);

await run({
  async run({ ref, options, progress = false, ...where }) {
    const statuses = [];
    const output = await client(where).run(ref, options, progress ? ({ status }) => statuses.push(status) : undefined);
    return { ...(await sound(await output.blob())), statuses, scheme: output.url().protocol };
  },

  async withoutFiles({ ref, options, ...where }) {
    return { output: await client({ ...where, useFileOutput: false }).run(ref, options) };
  },

  async stream({ ref, input, ...where }) {
    const events = [];
    for await (const { event, data } of client(where).stream(ref, { input })) events.push({ event, data: String(data) });
    return { events };
  },

  /** Make a prediction, cancel it once it is under way, and again. */
  async cancel({ model, input, ...where }) {
    const replicate = client(where);
    const made = await replicate.predictions.create({ model, input });
    const running = await until(replicate, made.id, (one) => parseProgressFromLogs(one)?.current > 0);
    await replicate.predictions.cancel(made.id);
    const over = await until(replicate, made.id, isOver);
    const again = await replicate.predictions.cancel(made.id);
    return { made, running, over, again, progress: parseProgressFromLogs(running) };
  },

  /** Let go of a run by its signal. */
  async abort({ model, input, ...where }) {
    const stop = new AbortController();
    const statuses = [];
    const options = { input, wait: { mode: "poll", interval: 20 }, signal: stop.signal };
    const output = await client(where).run(model, options, ({ status }) => {
      statuses.push(status);
      if (status === "processing") stop.abort();
    });
    return { output: output ?? null, statuses };
  },

  async waitRunsOut({ model, input, seconds, ...where }) {
    const replicate = client(where);
    const made = await replicate.predictions.create({ model, input, wait: seconds });
    await replicate.predictions.cancel(made.id);
    return made;
  },

  async files({ model, content, input, ...where }) {
    const replicate = client(where);
    const tune = new File([Buffer.from(content, "base64")], "tune.wav", { type: "audio/wav" });
    const file = await replicate.files.create(tune, { take: 1 });
    const known = await replicate.files.get(file.id);
    const { results } = await replicate.files.list();
    const run = async (audio) => {
      const output = await replicate.run(model, { input: { ...input, input_audio: audio } });
      return sound(await output.blob());
    };
    // its own fileEncodingStrategy "data-uri" sends the client in place of the input, in 1.4.0 at least
    const made = [await run(known.urls.get), await run(tune), await run(`data:audio/wav;base64,${content}`)];
    const deleted = await replicate.files.delete(file.id);
    const after = (await replicate.files.list()).results;
    const has = (list) => list.some(({ id }) => id === file.id);
    return { file, listed: has(results), made, deleted, listedAfter: has(after) };
  },

  /** Make a piece and cancelled ones, and go through them all page by page. */
  async pages({ model, input, cancelled, ...where }) {
    const replicate = client(where);
    const first = await replicate.predictions.create({ model, input, wait: true });
    const made = [first.id];
    for (let more = 0; more < cancelled; more += 1) {
      const { id } = await replicate.predictions.create({ model, input });
      await replicate.predictions.cancel(id);
      made.push(id);
    }
    const pages = [];
    for await (const page of replicate.paginate(replicate.predictions.list)) pages.push(page.map(({ id }) => id));
    return { made, pages };
  },

  async about({ owner, name, version, ...where }) {
    const replicate = client(where);
    const models = [];
    for await (const page of replicate.paginate(replicate.models.list)) {
      models.push(...page.map((model) => `${model.owner}/${model.name}`));
    }
    const known = await replicate.models.versions.get(owner, name, version);
    const account = await replicate.accounts.current();
    return { models, schema: known.openapi_schema, model: await replicate.models.get(owner, name), account };
  },

  async withWebhook({ model, input, webhook, ...where }) {
    const params = { model, input, webhook, webhook_events_filter: ["start", "completed"] };
    return client(where).predictions.create(params);
  },

  /** Verify what came back as Replicate's documentation says, and what somebody else has changed. */
  async verify({ headers, body, ...where }) {
    const { key } = await client(where).webhooks.default.secret.get();
    const request = new Request("http://localhost/hook", { method: "POST", headers, body });
    const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = headers;
    return {
      request: await validateWebhook(request, key, webcrypto),
      parts: await validateWebhook({ id, timestamp, signature, body, secret: key }, webcrypto),
      changed: await validateWebhook({ id, timestamp, signature, body: `${body} `, secret: key }, webcrypto),
    };
  },

  /** What a failing call says, for each of several. */
  async refusals({ calls }) {
    const answers = [];
    for (const { ref, input, ...where } of calls) {
      answers.push(await client(where).run(ref, { input }).then(() => null, told));
    }
    return answers;
  },
});
