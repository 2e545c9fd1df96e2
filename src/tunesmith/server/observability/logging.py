"""Logs: one line an event, for people or as JSON, with the request and the job it is about. Every logger ends here.

The rest of the program writes to ``logging`` as usual, and names what an event is about in ``extra``. What is bound
with ``bind`` is in every line that follows in the same task, and in the threads and tasks that it starts.
"""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from tunesmith.config import Settings
from tunesmith.server.limit_log import RepeatFilter
from tunesmith.server.observability.log_writer import LogWriter

OURS = ("tunesmith", "uvicorn")
"""The loggers that the level is set for; the libraries' tell only of trouble, because some write addresses down."""

REPEATING = ("uvicorn.error", "asyncio", "python_multipart.multipart")
"""The loggers whose warnings a caller can cause as often as it likes, such as by sending what is not HTTP
or no form."""

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
"""What no line may hold, wherever it came from."""
_SIGNS = ("ts_", "hf_", "r8_", "whsec_", "earer ", "oken ", "@")  # one is in every line that the search would find

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
"""What ``extra`` cannot be told by; the last is uvicorn's message once more, with colours."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def set_up_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Have all loggers of the process write to ``stream`` as the settings say, or to standard error in the background.

    Whoever ends the process calls ``flush`` first.
    """
    handler = logging.StreamHandler(stream) if stream else LogWriter(sys.stderr)
    handler.setFormatter(EventFormatter(as_json=settings.log_format == "json"))
    handler.addFilter(RepeatFilter(REPEATING))
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in [name for name in logging.root.manager.loggerDict if name.startswith(OURS)]:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.NOTSET)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)


def flush() -> None:
    """Wait until all that was told is written."""
    for handler in logging.getLogger().handlers:
        handler.flush()


class EventFormatter(logging.Formatter):
    """Writes a record as an event, with what is bound and what its ``extra`` adds.

    This and the records are made for every request, so it does without structlog's own formatter, which copies each.
    """

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._render: Processor = structlog.processors.JSONRenderer() if as_json else _plain

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines where there is a trace to be read by people."""
        event: EventDict = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name.removesuffix(".error"),  # uvicorn's name for all it says, which frightens people
            **structlog.contextvars.get_contextvars(),
        }
        event.update((name, value) for name, value in vars(record).items() if name not in _OF_EVERY_RECORD)
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        line = str(self._render(None, "", event))
        return SECRETS.sub(HIDDEN, line) if any(sign in line for sign in _SIGNS) else line


def _plain(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Write an event in one line for people, and the trace of an error below it."""
    at, level, trace = event.pop("timestamp"), event.pop("level"), event.pop("exception", "")
    line = f"{at} {level:<8} {_in_one_line(str(event.pop('event')))}"
    for name, value in event.items():
        text = _in_one_line(str(value))
        line += f" {name}={text!r}" if " " in text else f" {name}={text}"
    return f"{line}\n{trace}" if trace else line


def _in_one_line(text: str) -> str:
    """Escape control characters, so that nobody's text looks like a line of ours or colours a terminal."""
    return text if text.isprintable() else _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
