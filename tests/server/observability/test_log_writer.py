"""The log is written in the background, whole and in order, and never held up by whoever reads it."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator

import pytest

from tunesmith.server.observability.logging import LogWriter


class SlowReader(io.StringIO):
    """Takes what is written once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.asked.set()
        assert self.let.wait(60)
        return super().write(text)


@pytest.fixture
def reader() -> Iterator[SlowReader]:
    reader = SlowReader()
    yield reader
    reader.let.set()


def tell(writer: LogWriter, *texts: str) -> None:
    for text in texts:
        writer.handle(logging.makeLogRecord({"msg": text}))


def test_all_lines_are_written_in_their_order_before_a_flush_returns() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream)
    tell(writer, *map(str, range(3000)))
    writer.flush()
    assert stream.getvalue().splitlines() == list(map(str, range(3000)))


def test_nobody_waits_for_a_reader_that_does_not_read(reader: SlowReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.server.observability.logging.FLUSH_SECONDS", 0.01)
    writer = LogWriter(reader)
    tell(writer, "first")
    assert reader.asked.wait(60)
    tell(writer, "second")
    writer.flush()
    assert reader.getvalue() == ""
    monkeypatch.undo()
    reader.let.set()
    writer.flush()
    assert reader.getvalue() == "first\nsecond\n"


def test_lines_that_nobody_reads_are_counted_instead_of_kept(
    reader: SlowReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.server.observability.logging.MOST_WAITING", 2)
    writer = LogWriter(reader)
    tell(writer, "first")
    assert reader.asked.wait(60)
    tell(writer, "second", "third", "fourth", "fifth")
    reader.let.set()
    writer.flush()
    *lines, last = reader.getvalue().splitlines()
    assert lines == ["first", "second", "third"]
    assert last.startswith("2 log lines were dropped")


def test_a_stream_that_is_closed_stops_nothing() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream)
    stream.close()
    tell(writer, "unheard")
    writer.flush()
