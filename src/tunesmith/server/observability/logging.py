"""Logs: one line per event, as text or as JSON, with its request and job. Every logger ends here.

The program uses ``logging`` as usual, and puts the details of an event into ``extra``. Values set with ``bind`` appear
in every later line of the same task, and of the threads and tasks that it starts.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import QueueHandler
from queue import Empty, SimpleQueue
from typing import Any, TextIO

from tunesmith.config import Settings
from tunesmith.logs import RepeatFilter, bound_values

MOST_WAITING = 20_000
"""The maximum number of queued records; later ones are only counted."""

LINES_AT_ONCE = 1000
PAUSE_SECONDS = 0.02
"""How long lines gather before the next write."""

FLUSH_SECONDS = 2.0
_Queued = logging.LogRecord | threading.Event


class LogWriter(QueueHandler):
    """A log handler that writes to a stream in the background; ``flush`` waits, with a time limit."""

    def __init__(self, stream: TextIO) -> None:
        self._records: SimpleQueue[_Queued] = SimpleQueue()
        super().__init__(self._records)
        self._stream = stream
        self._left_out = 0
        threading.Thread(target=self._write_on, name="log", daemon=True).start()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Fix a record's message and what is bound in its task, both of which change later."""
        record.msg, record.args = record.getMessage(), None
        record.bound = bound_values()
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record, or count it if too many are queued."""
        if self._records.qsize() >= MOST_WAITING:
            self._left_out += 1
        else:
            self._records.put(record)

    def flush(self) -> None:
        """Wait until all queued records are written, or until the time limit."""
        # The event follows the records in the queue, so it is set after they are written.
        written = threading.Event()
        self._records.put(written)
        written.wait(FLUSH_SECONDS)

    def _write_on(self) -> None:
        while True:
            batch = [self._records.get(), *self._waiting()]
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
                yield self._records.get_nowait()
            except Empty:
                return

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        # The stream is closed or nobody reads it: there is nowhere to report this.
        except (OSError, ValueError):
            self._left_out = 0


OURS = ("tunesmith", "uvicorn")
"""The loggers with the configured level; other libraries log warnings only, because some log addresses."""

REPEATING = ("uvicorn.error", "asyncio", "python_multipart.multipart")
"""The loggers whose warnings a client can trigger at will, such as by sending invalid HTTP or an invalid form."""

HIDDEN = "[hidden]"
SECRETS = re.compile(
    r"""
    (?<=ts_)[\w-]{20,}                              # API tokens of ours
    | (?<=hf_)\w{20,} | (?<=r8_)\w{20,}             # and of services we call
    | (?<=whsec_)[\w+/=-]{16,}
    | (?<=[Bb]earer[ ])[\w.~+/=-]+ | (?<=[Tt]oken[ ])[\w.~+/=-]{20,}
    | (?<=://)[^/\s:@"'\\]*:[^/\s@"'\\]+(?=@)       # name and password in an address
    """,
    re.VERBOSE,
)
"""Secrets that no line may contain, whatever their source."""
# Every line that the regular expression would match contains one of these, which is much faster to check.
_SIGNS = ("ts_", "hf_", "r8_", "whsec_", "earer ", "oken ", "@")

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message", "asctime", "taskName", "color_message", "bound",
}  # fmt: skip
"""The attributes of every record, which are not ``extra``; color_message is uvicorn's message with colours."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def set_up_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all loggers of the process to ``stream``, or to standard error in the background, as the settings say.

    Call ``flush`` before the process ends.
    """
    handler = logging.StreamHandler(stream) if stream else LogWriter(sys.stderr)
    handler.setFormatter(EventFormatter(as_json=settings.log_format == "json"))
    handler.addFilter(RepeatFilter(REPEATING))
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    # Loggers that exist already, such as uvicorn's, may have handlers of their own.
    for name in [name for name in logging.root.manager.loggerDict if name.startswith(OURS)]:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)


def flush() -> None:
    """Wait until all log lines are written."""
    for handler in logging.getLogger().handlers:
        handler.flush()


class EventFormatter(logging.Formatter):
    """A formatter that adds the bound values and ``extra`` to each event."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._render = _as_json if as_json else _as_text

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback for people adds lines."""
        event: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            # uvicorn names its logger "error" for all messages, which alarms readers.
            "logger": record.name.removesuffix(".error"),
            # LogWriter formats in another thread and brings what was bound where the record comes from.
            **(getattr(record, "bound", None) or bound_values()),
        }
        event.update((name, value) for name, value in vars(record).items() if name not in _OF_EVERY_RECORD)
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        line = self._render(event)
        return SECRETS.sub(HIDDEN, line) if any(sign in line for sign in _SIGNS) else line


def _as_json(event: dict[str, Any]) -> str:
    """Return an event as one line of JSON; a value that JSON lacks is written as its repr."""
    return json.dumps(event, default=repr)


def _as_text(event: dict[str, Any]) -> str:
    """Return an event as one line of text, with the traceback of an error below it."""
    at, level, trace = event.pop("timestamp"), event.pop("level"), event.pop("exception", "")
    line = f"{at} {level:<8} {_in_one_line(str(event.pop('event')))}"
    for name, value in event.items():
        text = _in_one_line(str(value))
        line += f" {name}={text!r}" if " " in text else f" {name}={text}"
    return f"{line}\n{trace}" if trace else line


def _in_one_line(text: str) -> str:
    """Escape control characters, so that no caller's text can forge a log line or colour a terminal."""
    return text if text.isprintable() else _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
