"""A server in a process of its own, started as a user starts it, with its data in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from server_parts import null_generator

SETTINGS = {"TUNESMITH_BATCH_ROWS": "64", "TUNESMITH_QUEUE_LIMIT": "1000", "TUNESMITH_DRAIN_SECONDS": "0"}
"""As many null jobs at once as are asked for, and a quick end; nothing else differs from what a user gets."""
START_SECONDS = 60.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


def environment(data_folder: Path) -> dict[str, str]:
    """Return the variables with which ``tunesmith`` keeps to a folder and finds the null generator."""
    path = null_generator.install(data_folder / "plug-in")
    return {**os.environ, **SETTINGS, "TUNESMITH_DATA_DIR": str(data_folder / "data"), "PYTHONPATH": path}


class RunningServer:
    """``tunesmith serve`` on a free port of loopback; ``module`` may be another that does the same.

    ``arguments`` are more options of ``serve``, ``variables`` more of its environment.
    """

    def __init__(
        self, data_folder: Path, module: str = "tunesmith", arguments: Sequence[str] = (), **variables: str
    ) -> None:
        variables = {**environment(data_folder), **variables}
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, "serve", "--port", "0", *arguments],
            env=variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.log: list[str] = []
        self.port = self._read_port()
        threading.Thread(target=self._read_log, daemon=True).start()
        self._await_ready()
        self.start_to_ready_seconds = time.perf_counter() - self._began

    @property
    def process(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self._process.pid)

    def processor_seconds(self) -> float:
        """Return how long the server's own process has computed, its runners apart."""
        times = self.process.cpu_times()
        return times.user + times.system

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return json.loads(self.read(path))

    def read(self, path: str) -> bytes:
        """Return what is at a path."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            content: bytes = answer.read()
            return content

    def post(self, path: str, body: object) -> bytes:
        """Return what posting JSON is answered with."""
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=300) as answer:
            content: bytes = answer.read()
            return content

    def kill(self) -> None:
        """End the process as ``kill -9`` does; its runners notice by themselves."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it as a service manager does."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read_port(self) -> int:
        assert self._process.stderr
        for line in self._process.stderr:
            self.log.append(line)
            found = _ADDRESS.search(line)
            if found:
                return int(found[1])
        raise SystemExit("the server did not start:\n" + "".join(self.log))

    def _await_ready(self) -> None:
        deadline = time.perf_counter() + START_SECONDS
        while time.perf_counter() < deadline:
            try:
                self.get("/health")
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise SystemExit("the server never became ready:\n" + "".join(self.log))

    def _read_log(self) -> None:
        assert self._process.stderr
        self.log.extend(self._process.stderr)
