// Hugging Face's own JavaScript client, unmodified, as it is now and as of 2.8.1: only the endpoint is ours.
import { writeFileSync } from "node:fs";

import { InferenceClient } from "@huggingface/inference";
import { HfInference } from "huggingface-inference-2";
import { run, sound } from "./cases.js";

const client = ({ token = "hf_any", old }) => (old ? new HfInference(token) : new InferenceClient(token));

await run({
  /** Make music by the task that musicgen has at Hugging Face, or by another. */
  async music({ endpointUrl, task = "textToSpeech", args, options, ...how }) {
    return sound(await client(how)[task]({ endpointUrl, ...args }, options));
  },

  /** The same through a client that is for one endpoint. */
  async endpoint({ endpointUrl, args, options, ...how }) {
    return sound(await client(how).endpoint(endpointUrl).textToSpeech(args, options));
  },

  /** Count requests and the milliseconds between them; the second one makes the file that a model waits for. */
  async insistent({ endpointUrl, gate, args, ...how }) {
    const at = [];
    const counting = (url, init) => {
      at.push(performance.now());
      if (at.length === 2) writeFileSync(gate, "");
      return fetch(url, init);
    };
    const made = await sound(await client(how).textToSpeech({ endpointUrl, ...args }, { fetch: counting }));
    return { ...made, pauses: at.slice(1).map((time, index) => time - at[index]) };
  },

  async givesUp({ endpointUrl, args, milliseconds, ...how }) {
    const signal = AbortSignal.timeout(milliseconds);
    return sound(await client(how).textToSpeech({ endpointUrl, ...args }, { signal }));
  },
});
