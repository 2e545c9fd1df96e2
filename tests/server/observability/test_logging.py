"""The log: one line an event, in both formats, with what it is about and without secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tunesmith.config import Settings
from tunesmith.logs import bind
from tunesmith.server.observability.logging import HIDDEN, OURS, set_up_logs

SetUp = Callable[..., io.StringIO]


@pytest.fixture
def set_up() -> Iterator[SetUp]:
    """Give what sets the logs up to be read; they are as before afterwards."""
    loggers = [logging.getLogger(name) for name in (None, *OURS)]
    before = [(one.handlers, one.level, one.propagate) for one in loggers]

    def made(**settings: Any) -> io.StringIO:
        stream = io.StringIO()
        set_up_logs(Settings(**settings), stream)
        return stream

    yield made
    logging.captureWarnings(False)
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_json_says_what_happened_when_where_and_about_what(set_up: SetUp) -> None:
    stream = set_up(log_format="json")
    logging.getLogger("tunesmith.job").warning("%d jobs left", 3, extra={"model": "composer"})
    (event,) = events(stream)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "3 jobs left", "level": "warning", "logger": "tunesmith.job", "model": "composer"}


def test_a_line_for_people_is_one_line_whatever_is_in_it(set_up: SetUp) -> None:
    stream = set_up()
    forged = "calm\n2026-01-01T00:00:00Z info     all is well\x1b[31m\u2028"
    logging.getLogger("tunesmith").info(forged, extra={"prompt": forged, "seconds": 1.5})
    (line,) = stream.getvalue().splitlines()
    assert " info     calm\\n2026-" in line
    assert line.endswith("seconds=1.5") or "seconds=1.5 " in line
    assert line.isprintable()


def test_the_trace_of_an_error_is_told_in_both_formats(set_up: SetUp) -> None:
    for log_format in ("console", "json"):
        stream = set_up(log_format=log_format)
        try:
            raise ZeroDivisionError("by hand")
        except ZeroDivisionError:
            logging.getLogger("tunesmith").exception("it failed")
        assert "ZeroDivisionError: by hand" in stream.getvalue()
        assert "test_logging.py" in stream.getvalue()
        assert len(stream.getvalue().splitlines()) == 1 or log_format == "console"


@pytest.mark.parametrize(("said", "secret"), [
    ("ts_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4", "Zm9vYmFyYmF6"), ("Bearer abc.def-ghi", "abc.def-ghi"),
    ("hf_abcdefghijklmnopqrstuvwxyz", "abcdefg"), ("whsec_c2VjcmV0c2VjcmV0", "c2VjcmV0"),
    ("postgresql://tune:smith@db/music", "smith@"), ("Token abcdefghijklmnopqrstuvwxyz", "abcdefg"),
])  # fmt: skip
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_what_looks_like_a_secret_is_in_no_line(set_up: SetUp, said: str, secret: str, log_format: str) -> None:
    stream = set_up(log_format=log_format)
    logging.getLogger("tunesmith").info("sent %s", said, extra={"header": said})
    line = stream.getvalue()
    assert line.count(HIDDEN) == 2
    assert secret not in line
    assert log_format == "console" or json.loads(line)["level"] == "info"


def test_what_is_bound_is_in_every_line_of_its_task_and_in_no_other(set_up: SetUp) -> None:
    stream = set_up(log_format="json")
    log = logging.getLogger("tunesmith")

    async def request(request_id: str, begun: asyncio.Event, other: asyncio.Event) -> None:
        bind(request_id=request_id)
        begun.set()
        await other.wait()
        log.info(request_id)
        await asyncio.to_thread(log.info, request_id)

    async def both() -> None:
        one, two = asyncio.Event(), asyncio.Event()
        await asyncio.gather(request("a", one, two), request("b", two, one))
        log.info("after")

    asyncio.run(both())
    *bound, after = events(stream)
    assert len(bound) == 4
    assert all(event["event"] == event["request_id"] for event in bound)
    assert "request_id" not in after


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_that_of_our_own_loggers(set_up: SetUp, level: str, heard: int) -> None:
    stream = set_up(log_level=level)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger("uvicorn.error").log(number, "ours")
    assert len(stream.getvalue().splitlines()) == heard


def test_libraries_tell_only_of_trouble(set_up: SetUp) -> None:
    stream = set_up(log_level="debug")
    logging.getLogger("httpx").info("HTTP Request: POST https://hooks.example/?key=secret")
    logging.getLogger("httpx").warning("trouble")
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["trouble"]


def test_warnings_and_what_uvicorn_colours_are_lines_like_any_other(set_up: SetUp) -> None:
    stream = set_up(log_format="json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("soon gone", FutureWarning, stacklevel=1)
    logging.getLogger("uvicorn.error").info("up", extra={"color_message": "\x1b[1mup"})
    warned, up = events(stream)
    assert "soon gone" in warned["event"]
    assert "color_message" not in up
    assert up["logger"] == "uvicorn"


def test_what_callers_make_the_libraries_warn_of_again_and_again_is_one_line(set_up: SetUp) -> None:
    stream = set_up(log_format="json")
    for _ in range(1000):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
        logging.getLogger("asyncio").error("socket.accept() out of system resource")
    assert [event["logger"] for event in events(stream)] == ["uvicorn", "asyncio"]
