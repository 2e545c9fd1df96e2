"""``tunesmith serve`` as people start it: a process of its own on a free port, to be stopped or killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fork_server
import psutil
from forked_python import ForkedPopen, FreshPopen

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
PATIENCE_SECONDS = 60.0


class StartedServer:
    """A server over a data folder, with flags and settings; ``url`` is where it answers."""

    def __init__(
        self, popen: type[subprocess.Popen[Any]], data_dir: Path, flags: Sequence[str], settings: Mapping[str, str]
    ) -> None:
        environment = {**os.environ, "TUNESMITH_DATA_DIR": str(data_dir)}
        environment |= {f"TUNESMITH_{name.upper()}": value for name, value in settings.items()}
        command = [sys.executable, "-m", "tunesmith", "serve", "--port", "0", *flags]
        self._process = popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self._log: list[str] = []
        self._started: list[psutil.Process] = []
        self._listening = threading.Event()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        assert self._listening.wait(PATIENCE_SECONDS), self.log
        self.url: str = ADDRESS.findall(self.log)[-1]

    @property
    def log(self) -> str:
        """What it has said so far."""
        return "".join(self._log)

    def runners(self) -> list[psutil.Process]:
        """Return the processes that it has started to work for it."""
        children = psutil.Process(self._process.pid).children()
        return [child for child in children if child.name() != fork_server.NAME]

    def signal(self, how: signal.Signals) -> None:
        """Send a signal, unless it is gone already."""
        if self._process.poll() is None:
            self._started = self.runners()
            self._process.send_signal(how)

    def gone(self) -> None:
        """Wait until it and all that it had started when it was told to go are gone."""
        self._process.wait(PATIENCE_SECONDS)
        self._reading.join(PATIENCE_SECONDS)
        assert self._process.stderr
        self._process.stderr.close()
        _, left = psutil.wait_procs(self._started, PATIENCE_SECONDS)
        assert not left

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._log.append(line)
            if ADDRESS.search(line):
                self._listening.set()


@contextmanager
def started(data_dir: Path, *flags: str, **settings: str) -> Iterator[StartedServer]:
    """Start a server, and kill it in the end if it still runs."""
    with _ended(StartedServer(ForkedPopen, data_dir, flags, settings)) as server:
        yield server


@contextmanager
def started_afresh(data_dir: Path, *flags: str, **settings: str) -> Iterator[StartedServer]:
    """Start a server in a Python of its own, which starts its runners in theirs, and kill it as ``started`` does."""
    with _ended(StartedServer(FreshPopen, data_dir, flags, settings)) as server:
        yield server


@contextmanager
def _ended(server: StartedServer) -> Iterator[StartedServer]:
    try:
        yield server
    finally:
        server.signal(signal.SIGKILL)
        server.gone()


def wait_for(condition: Callable[[], object], what: str, pause: float = 0.01) -> None:
    """Call the condition until it is true; fails, saying what was waited for, rather than wait for ever.

    ``pause`` is in seconds; a longer one is for a condition that takes work and stays true.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(pause)
