"""A loopback server that answers as the hosted services document: one answer after another, each request remembered."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import soundfile

RATE = 8000


@dataclass(frozen=True)
class Answer:
    """What the service answers once; ``cut`` leaves so many bytes of the body out, though its length is announced."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0


@dataclass(frozen=True)
class Asked:
    """What the service was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class HostedService:
    """The server's state: its answers in turn, the last of which holds for good, by method and path where given."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    routes: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    holds: bool = False
    waiting: threading.Event = field(default_factory=threading.Event)

    def next_answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        script = self.routes.get((asked.method, asked.path), self.answers)
        return script.pop(0) if len(script) > 1 else script[0]

    def paths(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.asked]


def json_answer(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


def sound(seconds: float, form: str = "WAV", pitch: float = 220.0) -> bytes:
    """Return a file with a tone."""
    stream = io.BytesIO()
    times = np.arange(round(seconds * RATE)) / RATE
    soundfile.write(stream, 0.4 * np.sin(2 * np.pi * pitch * times), RATE, format=form)
    return stream.getvalue()


def audio_answer(seconds: float = 2.0, form: str = "WAV", says: str = "audio/wav", **headers: str) -> Answer:
    return Answer(200, sound(seconds, form), {"Content-Type": says, **headers})


@contextmanager
def hosted_service(*answers: Answer) -> Iterator[HostedService]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    service = HostedService(answers=list(answers) or [Answer(404)])

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(length))
            answer = service.next_answer(asked)
            if service.holds:
                service.waiting.set()
                service.hold.wait(60)
            self.close_connection = True
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body[: len(answer.body) - answer.cut])
            except ConnectionError:
                return

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815  the names that http.server calls

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
