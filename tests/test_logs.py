"""A fault that goes on is one line a minute."""

from __future__ import annotations

import logging

import pytest
from databases import FakeClock

from tunesmith.logs import RepeatedFault


def test_a_fault_is_logged_once_a_minute_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    fault = RepeatedFault(logging.getLogger("tunesmith.test"), clock)
    with caplog.at_level(logging.INFO, "tunesmith.test"):
        for _ in range(150):
            fault.report("the disk is gone")
            clock.pass_(1)
        fault.report("the database is gone")
        fault.clear()
        fault.clear()
        fault.report("the database is gone")
    said = [record.getMessage() for record in caplog.records]
    gone = "the database is gone"
    assert said == ["the disk is gone"] * 3 + [gone, f"over: {gone}", gone]
