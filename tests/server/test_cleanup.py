"""Housekeeping goes on whatever fails, a bounded number of files at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping

import pytest
from databases import FakeClock

from tunesmith.server import cleanup as module
from tunesmith.server.cleanup import MOST_A_ROUND, Chore, Housekeeping
from tunesmith.server.observability.metrics import Metrics


def run(chores: Mapping[str, Chore], until: Callable[[], bool]) -> Metrics:
    """Do chores until a condition holds; fails rather than wait for ever."""
    metrics = Metrics()

    async def act() -> None:
        keeping = Housekeeping(chores, metrics)
        task = asyncio.create_task(keeping.run())
        while not until():
            await asyncio.sleep(0)
        keeping.close()
        await task

    asyncio.run(asyncio.wait_for(act(), 30))
    return metrics


def counted(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"tunesmith_housekeeping_{name}_total", labels)


def test_one_chore_that_fails_ends_no_other_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def broken(_: int) -> int:
        raise OSError("the disk is gone")

    def fine(most: int) -> int:
        assert most == MOST_A_ROUND
        done.append(threading.current_thread().name)
        return 3

    with caplog.at_level(logging.INFO, "tunesmith"):
        metrics = run({"broken": broken, "fine": fine}, lambda: bool(done))
    assert counted(metrics, "rounds", outcome="failed") == 1
    assert counted(metrics, "removed", what="fine") == 3
    failed, removed = caplog.records
    assert (vars(failed)["chore"], failed.levelname) == ("broken", "ERROR")
    assert vars(removed)["fine"] == 3
    assert done[0] != threading.main_thread().name


def test_where_there_is_more_than_a_round_removes_the_next_comes_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SOON_SECONDS", 0.0)
    left = [2 * MOST_A_ROUND + 1]

    def chore(most: int) -> int:
        removed = min(most, left[0])
        left[0] -= removed
        return removed

    metrics = run({"files": chore}, lambda: left[0] == 0)
    assert counted(metrics, "removed", what="files") == 2 * MOST_A_ROUND + 1
    assert counted(metrics, "rounds", outcome="done") == 3


def test_nothing_to_do_is_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[int] = []

    def chore(most: int) -> int:
        asked.append(most)
        return 0

    with caplog.at_level(logging.INFO, "tunesmith"):
        run({"files": chore}, lambda: bool(asked))
    assert not caplog.records
    assert len(asked) == 1


def test_nothing_is_removed_in_the_round_after_the_clock_was_set(caplog: pytest.LogCaptureFixture) -> None:
    wall, elapsed = FakeClock(), FakeClock(100.0)
    removed: list[float] = []

    def chore(_: int) -> int:
        removed.append(wall())
        return 0

    keeping = Housekeeping({"results": chore}, Metrics(), wall, elapsed)

    def do_round(jump: float = 0.0) -> None:
        for clock in (wall, elapsed):
            clock.pass_(600)
        wall.pass_(jump)
        count = len(removed)
        keeping.do_round()
        assert len(removed) == count + (jump == 0)

    year = 365 * 86_400.0
    for jump in (0, year, 0, -year, 0):
        do_round(jump)
    assert [record.message for record in caplog.records if "the clock jumped" in record.message]
