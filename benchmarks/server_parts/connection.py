"""A keep-alive HTTP connection that costs little, so that the server is measured and not its client."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any


def request_bytes(method: str, path: str, body: object = None) -> bytes:
    """Return a request as it is sent."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


class Connection:
    """One connection. Only answers that say their length are read whole."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to loopback."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Send a request and read its answer."""
        self._writer.write(request_bytes(method, path, body))
        status, length = await self.read_head()
        return Answer(status, await self.reader.readexactly(length))

    async def begin(self, path: str) -> int:
        """Ask for a stream and return its status; its lines are then read from ``reader``."""
        self._writer.write(request_bytes("GET", path))
        return (await self.read_head())[0]

    async def read_head(self) -> tuple[int, int]:
        """Return the status and the length that an answer begins with."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
        return int(first.split()[1]), int(lengths[0]) if lengths else 0

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
