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
from tunesmith.server.log_writer import LogWriter

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
_SIGNS = ("ts_", "hf_", "r8_", "whsec_", "earer ", "oken ", "@")  # one is in every line that the search would find

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def set_up_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Have all loggers of the process write to ``stream`` as the settings say, or to standard error in the background.

    Whoever ends the process calls ``flush`` first.
    """
    handler = logging.StreamHandler(stream) if stream else LogWriter(sys.stderr)
    handler.setFormatter(_formatter(settings.log_format))
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


def bind(**about: str) -> None:
    """Put this into every line that follows in the current task: ``request_id``, ``job_id``."""
    structlog.contextvars.bind_contextvars(**about)


def _formatter(log_format: str) -> logging.Formatter:
    renderer = structlog.processors.JSONRenderer() if log_format == "json" else _plain
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[_without_leftovers, structlog.processors.format_exc_info, _without_secrets(renderer)],
    )


def _without_leftovers(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop what the libraries keep for themselves, such as uvicorn's coloured twin of its message."""
    for name in ("_record", "_from_structlog", "color_message"):
        event.pop(name, None)
    return event


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


def _without_secrets(renderer: Processor) -> Callable[[WrappedLogger, str, MutableMapping[str, Any]], str]:
    def rendered(logger: WrappedLogger, name: str, event: EventDict) -> str:
        line = str(renderer(logger, name, event))
        return SECRETS.sub(HIDDEN, line) if any(sign in line for sign in _SIGNS) else line

    return rendered
