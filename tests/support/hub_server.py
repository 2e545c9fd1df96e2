"""A hub on loopback that speaks the file protocol of the real one, for the real huggingface_hub.

Small files are answered where they are; large ones (weights) by a redirect to another path, as the hub does.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

HELD_SECONDS = 60  # at most, so that a test that fails ends
LARGE = (".safetensors", ".bin", ".npz", ".ckpt")


@dataclass
class SharedRepository:
    """A folder that is served. ``access`` is what a visitor without ``token`` meets."""

    folder: Path
    licence: str | None = None
    licence_name: str | None = None
    access: str = "open"
    token: str = "hf_secret"
    commit: str = "c0ffee" * 6 + "c0de"


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class HubServer:
    """The server's state: what it serves, what it was asked, and what goes wrong.

    ``cut_after`` ends the connection of the next download of weights after so many bytes, and lets that file be down
    from then on; ``down`` are endings of paths that are answered with 503. While ``hold`` is not set, weights wait.
    """

    repositories: dict[str, SharedRepository] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    cut_after: int = 0
    down: tuple[str, ...] = ()
    url: str = ""
    hold: threading.Event = field(default_factory=_set)

    def share(self, hub_id: str, folder: Path, **options: Any) -> SharedRepository:
        """Serve a folder as a repository."""
        self.repositories[hub_id] = SharedRepository(folder, **options)
        return self.repositories[hub_id]

    def downloads(self, ending: str) -> list[str | None]:
        """Return the Range header of each download of a file whose path ends so."""
        return [
            span for method, path, span in self.requests
            if method == "GET" and path.endswith(ending) and "/api/" not in path
        ]  # fmt: skip


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """Run a hub on a free port of 127.0.0.1."""
    hub = HubServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, hub: HubServer, *arguments: Any) -> None:
        self.hub = hub
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.requests.append((self.command, path, self.headers.get("Range")))
        if self.path.endswith(self.hub.down):
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, b"down")
        elif path.startswith("api/models/"):
            hub_id, _, revision = path.removeprefix("api/models/").partition("/revision/")
            self._tell(hub_id, revision)
        elif "/resolve/" in path:
            hub_id, _, rest = path.partition("/resolve/")
            self._resolve(hub_id, *rest.split("/", 1))
        elif path.startswith("cdn/"):
            self.hub.hold.wait(HELD_SECONDS)
            self._file(self.hub.repositories, path.removeprefix("cdn/"))
        else:
            self._send(HTTPStatus.NOT_FOUND, b"")

    def _repository(self, hub_id: str, revision: str) -> SharedRepository | None:
        repository = self.hub.repositories.get(hub_id)
        known = repository and self.headers.get("Authorization") == f"Bearer {repository.token}"
        if repository is None or (repository.access == "private" and not known):
            self._send(HTTPStatus.UNAUTHORIZED, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif revision not in ("", "main", repository.commit):
            self._send(HTTPStatus.NOT_FOUND, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif repository.access == "gated" and not known and "/resolve/" in self.path:
            self._send(HTTPStatus.FORBIDDEN, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            return repository
        return None

    def _tell(self, hub_id: str, revision: str) -> None:
        repository = self._repository(hub_id, revision)
        if repository is None:
            return
        siblings = [_sibling(repository.folder, path) for path in _files(repository.folder)]
        stated = {"license": repository.licence, "license_name": repository.licence_name}
        card = {name: value for name, value in stated.items() if value}
        values = {"id": hub_id, "sha": repository.commit, "siblings": siblings, "cardData": card, "tags": []}
        self._send(HTTPStatus.OK, json.dumps(values).encode(), {"Content-Type": "application/json"})

    def _resolve(self, hub_id: str, revision: str, name: str) -> None:
        repository = self._repository(hub_id, revision)
        if repository is None:
            return
        path = repository.folder / name
        if not path.is_file():
            self._send(HTTPStatus.NOT_FOUND, b"", {"X-Error-Code": "EntryNotFound"})
            return
        about = {"X-Repo-Commit": repository.commit}
        if not name.endswith(LARGE):
            self._send(HTTPStatus.OK, path.read_bytes(), {**about, "ETag": f'"{_sha256(path)}"'})
            return
        linked = {"X-Linked-ETag": f'"{_sha256(path)}"', "X-Linked-Size": str(path.stat().st_size)}
        self._send(HTTPStatus.FOUND, b"", {**about, **linked, "Location": f"{self.hub.url}/cdn/{hub_id}/{name}"})

    def _file(self, repositories: dict[str, SharedRepository], path: str) -> None:
        hub_id = next(hub_id for hub_id in repositories if path.startswith(f"{hub_id}/"))
        content = (repositories[hub_id].folder / path.removeprefix(f"{hub_id}/")).read_bytes()
        span, size = self.headers.get("Range"), len(content)
        if span is None:
            self._send(HTTPStatus.OK, content, {"Accept-Ranges": "bytes"})
            return
        start = int(span.removeprefix("bytes=").partition("-")[0])
        about = {"Content-Range": f"bytes {start}-{size - 1}/{size}"}
        self._send(HTTPStatus.PARTIAL_CONTENT, content[start:], about)

    def _send(self, status: HTTPStatus, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.hub.cut_after and "/cdn/" in self.path:
            content, self.hub.cut_after = content[: self.hub.cut_after], 0
            self.hub.down = (self.path,)
            self.close_connection = True
        self.wfile.write(content)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _sibling(folder: Path, path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    about = {"rfilename": path.relative_to(folder).as_posix(), "size": size, "blobId": _sha256(path)[:40]}
    if path.name.endswith(LARGE):
        return {**about, "lfs": {"size": size, "sha256": _sha256(path), "pointerSize": 134}}
    return about


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
