"""The log of limits: one line a minute for each reason, however often it is reached."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from tunesmith.logs import MAX_KINDS, LimitLog, RepeatFilter, RepeatLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_event_of_a_kind_passes_a_minute_and_says_how_many_did_not() -> None:
    clock = Clock()
    limit = RepeatLimit(60, clock)
    assert [limit.passes("a") for _ in range(5)] == [0, None, None, None, None]
    assert limit.passes("b") == 0
    clock.now = 59.9
    assert limit.passes("a") is None
    clock.now = 60.0
    assert limit.passes("a") == 5
    clock.now = 120.0
    assert limit.passes("a") == 0


def test_kinds_beyond_those_that_are_remembered_take_no_memory() -> None:
    limit = RepeatLimit(60, Clock())
    for number in range(3 * MAX_KINDS):
        limit.passes(number)
    assert len(limit._last) == MAX_KINDS


def test_a_refusal_is_counted_each_time_and_logged_with_its_reason_and_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, counted = Clock(), list[str]()
    report = LimitLog(counted.append, RepeatLimit(60, clock)).report
    with caplog.at_level(logging.INFO, "tunesmith.limits"):
        for number in range(100):
            report("headers", "no headers within 20 s", f"198.51.100.{number}")
        clock.now = 61
        report("headers", "no headers within 20 s", "198.51.100.200")
    first, second = (vars(record) for record in caplog.records)
    assert (first["reason"], first["problem"], first["client"]) == ("headers", "no headers within 20 s", "198.51.100.0")
    assert (second["client"], second["repeated"]) == ("198.51.100.200", 99)
    assert counted == ["headers"] * 101


def test_a_library_s_warning_that_a_caller_repeats_is_written_once_and_its_news_always(
    caplog: pytest.LogCaptureFixture,
) -> None:
    noisy, ours = logging.getLogger("noisy"), logging.getLogger("ours")
    repeats = RepeatFilter(["noisy"], RepeatLimit(60, Clock()))
    caplog.handler.addFilter(repeats)
    with caplog.at_level(logging.INFO):
        for number in range(50):
            noisy.warning("Invalid HTTP request received.")
            noisy.error("future: " + "x" * 60 + hex(number))
            noisy.info("up")
            ours.warning("Invalid HTTP request received.")
    caplog.handler.removeFilter(repeats)
    written = Counter((record.name, record.levelname) for record in caplog.records)
    expected = {("noisy", "WARNING"): 1, ("noisy", "ERROR"): 1, ("noisy", "INFO"): 50, ("ours", "WARNING"): 50}
    assert written == expected
