/** Models: install one on a server and report the progress. */

import { Call } from "./deadline.js";
import { documentOf, errorOf, ServerUnreachable } from "./errors.js";
import { Exchange } from "./http.js";
import { newKey } from "./request_body.js";
import { events } from "./response_body.js";

/**
 * Install a model and yield the server-sent events of its progress.
 *
 * @param {Exchange} exchange
 * @param {Record<string, unknown>} body
 * @param {{opening: () => Call, whole: Call}} calls the deadlines of the opening and of the whole stream
 * @returns {AsyncGenerator<Record<string, unknown>, void, undefined>}
 */
export async function* pullModel(exchange, body, { opening, whole }) {
  const send = { method: "POST", path: "/api/models/pull", body, key: newKey() };
  const answer = await exchange.open(send, opening());
  for await (const { kind, text } of events(answer.chunks(whole))) {
    // The stream began with status 200, which is not the status of the error in it.
    if (kind === "error") throw errorOf(500, text);
    yield documentOf(text, answer.status);
    if (kind === "done") return;
  }
  throw new ServerUnreachable("the connection ended before the model was installed");
}
