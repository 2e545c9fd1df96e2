"""A listener of a live stream over a WebSocket, who plays what it gets in real time."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

HEADER = struct.Struct("<IIQ")
PATIENCE_SECONDS = 60.0


@dataclass
class Listener:
    """A listener: the messages and blocks so far, and since when it plays."""

    socket: ClientConnection
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[tuple[int, int, int]] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    began_at: float | None = None

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"type": kind, **fields}))

    def hear(self) -> bool:
        """Take one more message or block; return whether there was one before the end."""
        try:
            got = self.socket.recv(timeout=PATIENCE_SECONDS)
        except ConnectionClosed:
            return False
        if isinstance(got, str):
            self.messages.append(json.loads(got))
        else:
            self.began_at = self.began_at or time.monotonic()
            self.headers.append(HEADER.unpack_from(got))
            self.blocks.append(got[HEADER.size :])
        return True

    def hear_until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Hear on until a message of a kind comes, and return it."""
        known = len(self.messages)
        while self.hear():
            for message in self.messages[known:]:
                if message["type"] == kind and fields.items() <= message.items():
                    return message
            known = len(self.messages)
        raise AssertionError(f"the stream ended before {kind}: {self.messages[-1:]}")

    def hear_all(self) -> None:
        while self.hear():
            pass

    def hear_seconds(self, seconds: float) -> None:
        """Hear on until there are so many seconds more of sound."""
        until = self.num_frames + seconds * self.rate
        while self.num_frames < until:
            assert self.hear(), self.messages[-1:]

    @property
    def started(self) -> Mapping[str, Any]:
        return next(one for one in self.messages if one["type"] == "started")

    @property
    def rate(self) -> int:
        return int(self.started["sample_rate"]) if self.messages and self.blocks else 48_000

    @property
    def num_frames(self) -> int:
        return sum(map(len, self.blocks)) // self._frame_bytes if self.blocks else 0

    @property
    def _frame_bytes(self) -> int:
        return int(self.started["channels"]) * (4 if self.started["encoding"] == "float32" else 2)

    def samples(self) -> NDArray[Any]:
        """Return what was heard, (frames, channels), as it was sent."""
        kind = "<f4" if self.started["encoding"] == "float32" else "<i2"
        return np.frombuffer(b"".join(self.blocks), kind).reshape(-1, int(self.started["channels"]))


@contextmanager
def listening(url: str, headers: Mapping[str, str] | None = None, **start: Any) -> Iterator[Listener]:
    """Open a live stream at a server; it is left in the end, if it plays still."""
    address = url.replace("http", "ws", 1) + "/api/live"
    # One that stalls does not read the server's farewell either.
    with connect(address, compression=None, additional_headers=headers or {}, close_timeout=0.2) as socket:
        listener = Listener(socket)
        if start:
            listener.send("start", **start)
        yield listener
