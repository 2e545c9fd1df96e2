// Hugging Face's own JavaScript client, unmodified: only the endpoint is ours.
import { writeFileSync } from "node:fs";

import { InferenceClient } from "@huggingface/inference";
import { run, sound } from "./cases.js";

const client = ({ token = "hf_any" }) => new InferenceClient(token);

await run({
  /** Make music by the task that musicgen has at Hugging Face, or by another. */
  async music({ endpointUrl, token, task = "textToSpeech", args, options }) {
    return sound(await client({ token })[task]({ endpointUrl, ...args }, options));
  },

  /** The same through a client that is for one endpoint. */
  async endpoint({ endpointUrl, args }) {
    return sound(await client({}).endpoint(endpointUrl).textToSpeech(args));
  },

  /** Count requests and the milliseconds between them; the second one makes the file that a model waits for. */
  async insistent({ endpointUrl, gate, args }) {
    const at = [];
    const counting = (url, init) => {
      at.push(performance.now());
      if (at.length === 2) writeFileSync(gate, "");
      return fetch(url, init);
    };
    const made = await sound(await client({}).textToSpeech({ endpointUrl, ...args }, { fetch: counting }));
    return { ...made, pauses: at.slice(1).map((time, index) => time - at[index]) };
  },

  async givesUp({ endpointUrl, args, milliseconds }) {
    const signal = AbortSignal.timeout(milliseconds);
    return sound(await client({}).textToSpeech({ endpointUrl, ...args }, { signal }));
  },
});
