// Runs the case of a script that argv[2] names with the JSON of standard input, and prints what it gives as JSON.
import { json } from "node:stream/consumers";

export async function run(cases) {
  let got;
  try {
    got = await cases[process.argv[2]](await json(process.stdin));
  } catch (error) {
    got = { refused: await told(error) };
  }
  process.stdout.write(`${JSON.stringify(got)}\n`);
}

/** Return what an error says, whichever library it is of. */
export async function told(error) {
  const { name, message, httpResponse, response } = error;
  const body = httpResponse?.body ?? (response && !response.bodyUsed ? await response.json() : undefined);
  return { name, message, status: httpResponse?.status ?? response?.status, body };
}

/** Return the content of a Blob as JSON can hold it. */
export async function sound(blob) {
  return { type: blob.type, audio: Buffer.from(await blob.arrayBuffer()).toString("base64") };
}

export const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
