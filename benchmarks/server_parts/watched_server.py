"""``tunesmith`` with a watch on the event loop: ``python -m server_parts.watched_server serve``.

A task of the loop sleeps for PAUSE_SECONDS again and again; what it oversleeps by, the loop was held up. Each beat that
came too late is a line of JSON in the file that the environment names.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from socket import socket
from typing import TextIO

import tunesmith.server.uvicorn_server
from tunesmith.cli import main

FILE_VARIABLE = "STALLS_FILE"
PAUSE_SECONDS, NOTED_MS = 0.002, 5.0


async def watch(file: TextIO) -> None:
    """Write down how late each beat comes, and how much of that the loop's own thread was computing."""
    while True:
        began, computed = time.monotonic(), time.thread_time()
        await asyncio.sleep(PAUSE_SECONDS)
        late = (time.monotonic() - began - PAUSE_SECONDS) * 1e3
        if late >= NOTED_MS:
            line = {"at": time.monotonic(), "late_ms": late, "computed_ms": (time.thread_time() - computed) * 1e3}
            file.write(json.dumps(line) + "\n")
            file.flush()


class WatchedServer(tunesmith.server.uvicorn_server.DrainingServer):
    """Watches from the moment it serves."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to serve and to watch."""
        self._file = Path(os.environ[FILE_VARIABLE]).open("w", encoding="utf-8")  # noqa: SIM115  as long as it runs
        self._watch = asyncio.create_task(watch(self._file))
        await super().startup(sockets)


if __name__ == "__main__":
    tunesmith.server.uvicorn_server.DrainingServer = WatchedServer  # type: ignore[misc]
    main()
