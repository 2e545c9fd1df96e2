"""A Redis server of the tests' own, reached through a socket in its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

READY_SECONDS = 20


@dataclass(frozen=True)
class Redis:
    """A running server; ``stop`` ends it before its time."""

    url: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(READY_SECONDS)


@contextmanager
def running_redis() -> Iterator[Redis]:
    """Start a server; skips where there is none, but never in CI."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Redis is not installed: apt-get install redis-server")
        pytest.skip("Redis is not installed: apt-get install redis-server")
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-redis-"))  # a socket's path must be short
    command = [program, "--port", "0", "--unixsocket", str(folder / "socket"), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any("ready to accept connections" in line.lower() for line in process.stdout), "Redis did not start"
        yield Redis(f"redis+unix://{folder}/socket", process)
    finally:
        process.kill()
        process.communicate(timeout=READY_SECONDS)
        shutil.rmtree(folder)
