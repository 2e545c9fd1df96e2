"""Joined writes: what is written to a connection in one turn of the event loop is sent with one system call."""

from __future__ import annotations

import asyncio
from typing import Any

MOST_HELD_BYTES = 64 * 1024
"""The largest number of bytes that are held back; more are sent at once, so that the client's pace is noticed."""


class JoinedWrites:
    """A transport that holds back what is written until the end of the turn, ``flush`` or ``close``.

    uvicorn writes head and body of a response apart, which wakes the client twice. All other methods are those of
    ``transport``.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._loop = loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send the data soon."""
        if not data:
            return
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)
        if self._held_bytes() > MOST_HELD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what is held back."""
        if self._held:
            data, self._held = b"".join(self._held), []
            self.transport.write(data)

    def close(self) -> None:
        """Send what is held back, and close."""
        self.flush()
        self.transport.close()

    def get_write_buffer_size(self) -> int:
        """Return the number of bytes that the operating system has not accepted yet."""
        return self._held_bytes() + self.transport.get_write_buffer_size()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def _held_bytes(self) -> int:
        return sum(map(len, self._held))
