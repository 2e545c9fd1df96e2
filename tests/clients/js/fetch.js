// What people write where there is no client for what they have: plain fetch.
import { writeFileSync } from "node:fs";

import { run, sleep, sound } from "./cases.js";

async function post({ url, body, contentType, token, accept, signal }) {
  const headers = new Headers();
  if (contentType) headers.set("Content-Type", contentType);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  if (accept) headers.set("Accept", accept);
  // bytes have no Content-Type of their own, a string would bring text/plain
  const content = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, { method: "POST", headers, body: contentType === null ? Buffer.from(content) : content, signal });
}

async function told(response) {
  const headers = Object.fromEntries(response.headers);
  if (!headers["content-type"].startsWith("application/json")) {
    return { status: response.status, headers, ...(await sound(await response.blob())) };
  }
  return { status: response.status, headers, body: await response.json() };
}

await run({
  async each({ requests }) {
    const answers = [];
    for (const request of requests) answers.push(await told(await post(request)));
    return answers;
  },

  async form({ url, fields }) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const bodies = [form, new URLSearchParams(fields)];
    return Promise.all(bodies.map(async (body) => told(await fetch(url, { method: "POST", body }))));
  },

  async givesUp({ url, body, milliseconds }) {
    return told(await post({ url, body, signal: AbortSignal.timeout(milliseconds) }));
  },

  /** The script of every tutorial: post, and write what came. */
  async writesTheBytes({ url, prompt, file }) {
    const response = await fetch(url, {
      headers: { Authorization: "Bearer hf_any", "Content-Type": "application/json" },
      method: "POST",
      body: JSON.stringify({ inputs: prompt }),
    });
    const result = await response.blob();
    writeFileSync(file, Buffer.from(await result.arrayBuffer()));
    return { type: result.type };
  },

  /** The script of who has met a cold model: ask again as long as the answer is JSON that says when. */
  async loopsOnEstimatedTime({ url, prompt, file, gate }) {
    const estimates = [];
    for (;;) {
      const response = await fetch(url, {
        headers: { Authorization: "Bearer hf_any", "Content-Type": "application/json", "x-wait-for-model": "false" },
        method: "POST",
        body: JSON.stringify({ inputs: prompt }),
      });
      if (!response.headers.get("content-type").includes("application/json")) {
        writeFileSync(file, Buffer.from(await response.arrayBuffer()));
        return { estimates };
      }
      const { error, estimated_time: estimate } = await response.json();
      if (estimate === undefined) throw new Error(error);
      estimates.push(estimate);
      writeFileSync(gate, "");
      await sleep(Math.min(estimate, 3)); // the estimate may be of a load that other tests had waiting for minutes
    }
  },
});
