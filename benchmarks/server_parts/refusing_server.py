"""A server that refuses everything twice before it answers, and notes how long after the named time a caller came."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

ASKED_SECONDS = 1
REFUSALS: tuple[tuple[int, dict[str, str], dict[str, object]], ...] = (
    (429, {"Retry-After": str(ASKED_SECONDS)}, {"error": {"type": "RateLimited", "message": "later"}}),
    (503, {}, {"error": "loading", "estimated_time": float(ASKED_SECONDS)}),
)
JOB = {"state": "succeeded", "progress": 1.0, "stage": "done", "eta_seconds": 0.0}


@dataclass
class Notes:
    """How late each came back, in seconds, and how often each path was asked for."""

    late: list[float] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    refused_at: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arrived(self, path: str) -> int:
        """Note a request and return how many there were of it before."""
        with self.lock:
            before = self.asked.get(path, 0)
            self.asked[path] = before + 1
            if path in self.refused_at:
                self.late.append(time.perf_counter() - self.refused_at.pop(path) - ASKED_SECONDS)
            return before


class RefusingServer:
    """Answers any GET of a job with 429, then with 503, then with the job."""

    def __init__(self) -> None:
        notes = self.notes = Notes()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                attempt = notes.arrived(self.path)
                job = {"id": self.path.rpartition("/")[2], **JOB}
                status, headers, body = REFUSALS[attempt] if attempt < len(REFUSALS) else (200, {}, job)
                content = json.dumps(body).encode()
                if status != 200:
                    notes.refused_at[self.path] = time.perf_counter()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
