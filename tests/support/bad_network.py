"""A network with troubles: a server on loopback that passes requests on to another, or does to them what it is told."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}
Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""


@dataclass(frozen=True)
class Trouble:
    """What happens to the next request whose ``METHOD /path`` matches ``on``.

    ``answer``: this instead of the server's. ``lose``: it is passed on, and the connection breaks instead of an answer.
    ``cut``: the connection breaks after so many bytes of the body. ``drip``: one byte of the body comes each so many
    seconds. ``silent``: the server has it, but nothing ever comes back. ``deaf``: the server is not told which part of
    a file is asked for.
    """

    on: str
    answer: Answer | None = None
    lose: bool = False
    cut: int | None = None
    drip: float | None = None
    silent: bool = False
    deaf: bool = False


@dataclass
class BadNetwork:
    """Where it listens, what was asked, and the troubles that are still to come."""

    url: str
    target: str
    troubles: list[Trouble]
    prefix: str
    seen: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, pattern: str) -> list[Mapping[str, str]]:
        """Return the headers of the requests whose ``METHOD /path`` matches."""
        return [headers for what, headers in self.seen if re.search(pattern, what)]

    def trouble_of(self, what: str, headers: Mapping[str, str]) -> Trouble:
        """Note a request and return what is to happen to it."""
        with self.lock:
            self.seen.append((what, headers))
            for trouble in self.troubles:
                if re.search(trouble.on, what):
                    self.troubles.remove(trouble)
                    return trouble
        return Trouble("")


@contextlib.contextmanager
def bad_network(target: str, *troubles: Trouble, prefix: str = "") -> Iterator[BadNetwork]:
    """Serve the server at ``target``, under a path where there is a ``prefix``, as a reverse proxy does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    network = BadNetwork(f"http://127.0.0.1:{server.server_port}{prefix}", target, list(troubles), prefix)
    server.network = network  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield network
    finally:
        network.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        network: BadNetwork = self.server.network  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        absolute = self.path.removeprefix(network.target)  # as a forward proxy is asked
        path = absolute.removeprefix(network.prefix)
        trouble = network.trouble_of(f"{self.command} {path}", {k.lower(): v for k, v in self.headers.items()})
        if trouble.answer is not None:
            status, headers, content = trouble.answer
            self._head(status, {**headers, "Content-Length": str(len(content))})
            self.wfile.write(content)
        elif network.prefix and path == absolute:
            self._head(404, {"Content-Length": "0"})
        else:
            with contextlib.suppress(OSError):  # the caller has gone
                self._pass_on(network, path, body, trouble)

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815  the names that http.server looks for

    def _pass_on(self, network: BadNetwork, path: str, body: bytes, trouble: Trouble) -> None:
        there = http.client.HTTPConnection(urlsplit(network.target).netloc, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length", "connection")}
        if trouble.deaf:
            headers = {name: value for name, value in headers.items() if name.lower() != "range"}
        with contextlib.closing(there):
            there.request(self.command, path, body or None, headers)
            answer = there.getresponse()
            if trouble.silent:
                answer.read()
                network.closed.wait()
            if trouble.lose or trouble.silent:
                answer.read()
                self._break()
                return
            self._answer(network, answer, trouble)

    def _answer(self, network: BadNetwork, answer: http.client.HTTPResponse, trouble: Trouble) -> None:
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
        chunked = answer.getheader("content-length") is None and answer.status != 204
        self._head(answer.status, {**kept, "Transfer-Encoding": "chunked"} if chunked else kept)
        left = trouble.cut
        while piece := answer.read1(1 if trouble.drip else 65_536):
            piece = piece if left is None else piece[:left]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            if trouble.drip and network.closed.wait(trouble.drip):
                self._break()
                return
            if left is not None and not (left := left - len(piece)):
                self._break()
                return
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _break(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *arguments: object) -> None:
        pass
