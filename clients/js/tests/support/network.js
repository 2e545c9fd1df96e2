// A network with troubles: a loopback server that passes requests on to another, or does to them what it is told.
import { createServer, request } from "node:http";

/**
 * Serve in front of `target`. A trouble is for the next request whose "METHOD /path" matches its `on`:
 *   answer  { status, headers, body } instead of the server's
 *   lose    pass the request on, then break the connection instead of answering
 *   hold    pass the request on, but never pass the answer on
 *   cut     break the connection after so many bytes of the answer's body
 *   drip    send one byte of the answer's body every so many milliseconds
 *   deaf    hide from the server which part of a file is asked for
 *   silent  never answer
 * What was asked is `seen`; it `isMet` once its trouble is under way. It stands under the path `prefix`, as a reverse proxy may.
 */
export async function network(target, troubles = [], prefix = "") {
  const waiting = [...troubles];
  const seen = [];
  const server = createServer((incoming, outgoing) => {
    if (!incoming.url.startsWith(prefix)) return outgoing.writeHead(404).end();
    incoming.url = incoming.url.slice(prefix.length);
    const what = `${incoming.method} ${incoming.url}`;
    const asked = { what, key: incoming.headers["idempotency-key"], range: incoming.headers.range, isMet: false };
    seen.push(asked);
    const at = waiting.findIndex((trouble) => trouble.on.test(what));
    const trouble = at < 0 ? {} : waiting.splice(at, 1)[0];
    if (trouble.answer) {
      const { status, headers = {}, body = "" } = trouble.answer;
      incoming.resume().on("end", () => outgoing.writeHead(status, headers).end(body, () => (asked.isMet = true)));
    } else if (!trouble.silent) {
      passOn(target, incoming, outgoing, { ...trouble, met: () => (asked.isMet = true) });
    } else {
      asked.isMet = true;
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}${prefix}`, seen, close };
}

function passOn(target, incoming, outgoing, { met, lose, hold, deaf, drip, cut = Infinity }) {
  const headers = { ...incoming.headers, host: new URL(target).host };
  if (deaf) delete headers.range;
  const broken = () => outgoing.destroy();
  const asking = request(`${target}${incoming.url}`, { method: incoming.method, headers }, (answer) => {
    answer.on("error", broken); // such as when the client has gone and with it `asking`
    if (lose || hold) {
      answer.resume().on("end", () => (lose ? outgoing.destroy() : met()));
      return;
    }
    outgoing.writeHead(answer.statusCode, answer.headers);
    if (drip) {
      inDrips(answer, outgoing, drip).catch(broken);
      met();
      return;
    }
    let left = cut;
    answer.on("data", (piece) => {
      if (piece.length < left) {
        outgoing.write(piece);
        left -= piece.length;
      } else if (left) {
        outgoing.write(piece.subarray(0, left), () => outgoing.destroy());
        left = 0;
      }
    });
    answer.on("end", () => left && outgoing.end());
  });
  outgoing.on("close", () => asking.destroy());
  asking.on("error", broken);
  incoming.pipe(asking);
}

async function inDrips(answer, outgoing, milliseconds) {
  for await (const piece of answer) {
    for (const byte of piece) {
      if (outgoing.destroyed) return;
      outgoing.write(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    }
  }
  outgoing.end();
}
