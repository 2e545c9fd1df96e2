"""The pace of live streams: a small stock and no more, at whatever speed of the model and the listener."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tunesmith.jobs.live_pace import LivePace

AHEAD, BLOCK, ESTIMATE = 0.2, 0.08, 0.1


@dataclass
class Clock:
    """A clock that tests set."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def play(pace: LivePace, clock: Clock, seconds: float, making: float) -> tuple[list[float], int]:
    """Make blocks in so many seconds each; return the stock after each one, and how many came too late."""
    began, sent, stocks, late = clock.now, 0.0, [], 0
    while sent < seconds:
        clock.now += pace.wait(ESTIMATE)
        pace.grant(ESTIMATE)
        clock.now += making
        late += pace.is_late()
        pace.send(BLOCK, ESTIMATE)
        sent += BLOCK
        stocks.append(sent - (clock.now - began))
    return stocks, late


@pytest.mark.parametrize("making", [0.0, 0.04, 0.07])
def test_a_model_that_is_fast_enough_fills_the_stock_and_never_more(making: float) -> None:
    clock = Clock()
    stocks, late = play(LivePace(AHEAD, clock), clock, 20.0, making)
    assert late == 0
    assert max(stocks) <= AHEAD + 1e-9
    # Blocks come as fast as they are played: there is no drift.
    assert clock.now - 100 == pytest.approx(20.0, abs=AHEAD + BLOCK)


def test_a_model_that_is_too_slow_is_late_and_a_listener_that_stalled_gets_no_more_than_a_stock() -> None:
    clock = Clock()
    pace = LivePace(AHEAD, clock)
    assert play(pace, clock, 2.0, 0.12)[1] > 10
    # It read nothing for a minute.
    clock.now += 60
    began, sent = clock.now, 0.0
    pace.send(0.0, 0.0)
    while not pace.wait(ESTIMATE):
        pace.grant(ESTIMATE)
        pace.send(BLOCK, ESTIMATE)
        sent += BLOCK
    assert clock.now == began
    assert sent <= AHEAD + BLOCK
