"""Logs: one line an event, for people or as JSON, with the request and the job it is about. Every logger ends here.

The rest of the program writes to ``logging`` as usual, and names what an event is about in ``extra``. What is bound
with ``bind`` is in every line that follows in the same task, and in the threads and tasks that it starts.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from tunesmith.config import Settings

OURS = ("tunesmith", "uvicorn")
"""The loggers that the level is set for; the libraries' tell only of trouble, because some write addresses down."""

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

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MANY_LINES = "exception"


def set_up_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Have all loggers of the process write to ``stream`` (standard error), as the settings say."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(settings.log_format, coloured=stream.isatty()))
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in OURS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(level)
    logging.captureWarnings(True)


def bind(**about: str) -> None:
    """Put this into every line that follows in the current task: ``request_id``, ``job_id``."""
    structlog.contextvars.bind_contextvars(**about)


def _formatter(log_format: str, *, coloured: bool) -> logging.Formatter:
    if log_format == "json":
        shown: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        console = structlog.dev.ConsoleRenderer(
            colors=coloured, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        shown = [_in_one_line, console]
    *before, renderer = shown
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[_without_leftovers, *before, _without_secrets(renderer)],
    )


def _without_leftovers(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop what the libraries keep for themselves, such as uvicorn's coloured twin of its message."""
    for name in ("_record", "_from_structlog", "color_message"):
        event.pop(name, None)
    return event


def _in_one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escape control characters, so that nobody's text looks like a line of ours or colours a terminal."""
    for name, value in event.items():
        if isinstance(value, str) and name != _MANY_LINES and _CONTROL.search(value):
            event[name] = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value)
    return event


def _without_secrets(renderer: Processor) -> Callable[[WrappedLogger, str, MutableMapping[str, Any]], str]:
    def rendered(logger: WrappedLogger, name: str, event: EventDict) -> str:
        return SECRETS.sub(HIDDEN, str(renderer(logger, name, event)))

    return rendered
