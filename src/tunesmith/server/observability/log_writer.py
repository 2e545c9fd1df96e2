"""LogWriter: a thread formats and writes the log, so that no request waits for it or for its reader.

Standard error is often a pipe. Each write releases the interpreter lock, and blocks if the reader is slow.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import TextIO

import structlog

MOST_WAITING = 20_000
"""The maximum number of queued records; later ones are only counted."""

LINES_AT_ONCE = 1000
PAUSE_SECONDS = 0.02
"""How long lines gather before the next write."""

FLUSH_SECONDS = 2.0
_Queued = logging.LogRecord | threading.Event


class LogWriter(logging.Handler):
    """A log handler that writes to a stream in the background; ``flush`` waits, with a time limit."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._queue: SimpleQueue[_Queued] = SimpleQueue()
        self._left_out = 0
        threading.Thread(target=self._write_on, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record with its message and what is bound in its task, both of which change later."""
        if self._queue.qsize() >= MOST_WAITING:
            self._left_out += 1
            return
        try:
            record.msg, record.args = record.getMessage(), None
        # The error boundary of the log, as in logging's own handlers: it must not stop the program.
        except Exception:
            self.handleError(record)
            return
        record.bound = structlog.contextvars.get_contextvars()
        self._queue.put(record)

    def flush(self) -> None:
        """Wait until all queued records are written, or until the time limit."""
        # The event follows the records in the queue, so it is set after they are written.
        written = threading.Event()
        self._queue.put(written)
        written.wait(FLUSH_SECONDS)

    def _write_on(self) -> None:
        while True:
            batch = [self._queue.get(), *self._waiting()]
            lines = [self._line_of(one) for one in batch if isinstance(one, logging.LogRecord)]
            left_out, self._left_out = self._left_out, 0
            if left_out:
                lines.append(self._about(left_out))
            self._write("".join(lines))
            flushes = [one for one in batch if isinstance(one, threading.Event)]
            for flush in flushes:
                flush.set()
            if not flushes:
                # Many lines per write: fewer system calls, and fewer switches between threads.
                time.sleep(PAUSE_SECONDS)

    def _line_of(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record) + "\n"
        except Exception:
            self.handleError(record)
            return ""

    def _about(self, left_out: int) -> str:
        problem = "%d log lines were dropped, because they were read too slowly"
        return (
            self.format(logging.LogRecord("tunesmith.log", logging.WARNING, "", 0, problem, (left_out,), None)) + "\n"
        )

    def _waiting(self) -> Iterator[_Queued]:
        for _ in range(LINES_AT_ONCE):
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        # The stream is closed or nobody reads it: there is nowhere to report this.
        except (OSError, ValueError):
            self._left_out = 0
