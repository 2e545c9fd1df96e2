"""A process that is asked things by lines of JSON on its input and answers by lines of JSON on its output."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

HERE = Path(__file__).resolve().parent


class Worker:
    """Starts ``python -m module arguments``; the first line of its output says that it is ready."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.resident_mb = 0.0
        threading.Thread(target=self._watch, daemon=True).start()
        self.first = self._read()
        self.since_start = time.perf_counter() - self._began

    def ask(self, **question: Any) -> dict[str, Any]:
        """Ask one thing and wait for the answer."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args} ended with exit code {self._process.wait()}")
        return json.loads(line)

    def _watch(self) -> None:
        """Keep the greatest resident memory seen, in MB of 10⁶ bytes."""
        try:
            watched = psutil.Process(self._process.pid)
            while self._process.poll() is None:
                self.resident_mb = max(self.resident_mb, watched.memory_info().rss / 1e6)
                time.sleep(0.02)
        except psutil.NoSuchProcess:
            return
