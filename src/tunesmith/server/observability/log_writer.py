"""LogWriter: lines of the log are written by a thread, because nobody may wait for whoever reads them.

Standard error is often a pipe. Writing to it gives the interpreter away each time, and waits where the reader is slow.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import TextIO

MOST_WAITING = 20_000
"""How many lines may wait to be written; what comes after is counted instead."""

LINES_AT_ONCE = 1000
PAUSE_SECONDS = 0.02
"""For how long lines gather before the next are written."""

FLUSH_SECONDS = 2.0
_Line = str | threading.Event


class LogWriter(logging.Handler):
    """Writes to a stream in the background; ``flush`` waits, but not for ever, until all so far is written."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: SimpleQueue[_Line] = SimpleQueue()
        self._left_out = 0
        threading.Thread(target=self._write_on, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have a line written soon."""
        if self._lines.qsize() >= MOST_WAITING:
            self._left_out += 1
            return
        try:
            self._lines.put(self.format(record) + "\n")
        except Exception:  # the border of the log, as in logging's own handlers: it must not bring the program down
            self.handleError(record)

    def flush(self) -> None:
        """Wait until what was told so far is written, or until whoever reads it has had their time."""
        written = threading.Event()
        self._lines.put(written)
        written.wait(FLUSH_SECONDS)

    def _write_on(self) -> None:
        while True:
            batch = [self._lines.get(), *self._waiting()]
            lines = [line for line in batch if isinstance(line, str)]
            left_out, self._left_out = self._left_out, 0
            if left_out:
                lines.append(self._about(left_out))
            self._write("".join(lines))
            flushes = [line for line in batch if isinstance(line, threading.Event)]
            for flush in flushes:
                flush.set()
            if not flushes:
                time.sleep(PAUSE_SECONDS)

    def _about(self, left_out: int) -> str:
        problem = "%d lines of the log were left out, because it was read too slowly"
        return (
            self.format(logging.LogRecord("tunesmith.log", logging.WARNING, "", 0, problem, (left_out,), None)) + "\n"
        )

    def _waiting(self) -> Iterator[_Line]:
        for _ in range(LINES_AT_ONCE):
            try:
                yield self._lines.get_nowait()
            except Empty:
                return

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads it any more, or the stream is closed: there is no one to tell
            self._left_out = 0
