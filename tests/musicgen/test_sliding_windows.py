"""Windows: the schedule is audiocraft's, and every frame is written once."""

from __future__ import annotations

import pytest

from tunesmith.musicgen.sliding_windows import SlidingWindow, WindowRule, plan_windows

RULE = WindowRule.of(1500, 30.0)


def audiocraft_loop(duration: float, given: int, frame_rate: int = 50) -> list[tuple[int, int, int]]:
    """What audiocraft's loop asks its model for with extend_stride 18: (offset, known, length), in seconds and ints."""
    total, asked = int(duration * frame_rate), []
    if duration <= 30:
        return [(0, given, total)]
    stride, offset, prompt_length = int(frame_rate * 18), 0, given
    while offset + prompt_length < total:
        chunk_seconds = min(duration - offset / frame_rate, 30)
        generated = int(chunk_seconds * frame_rate)
        asked.append((offset, prompt_length, generated))
        prompt_length = generated - stride
        offset += stride
    return asked


@pytest.mark.parametrize("given", [0, 1, 50, 1499])
@pytest.mark.parametrize("seconds", [1, 10, 29, 30, 31, 48, 49, 60, 66, 67, 90, 120.5, 600, 1800])
def test_the_schedule_is_that_of_audiocraft(seconds: float, given: int) -> None:
    total = round(seconds * 50)
    if given < total:
        windows = plan_windows(total, given, RULE)
        assert [(w.start, w.known, w.length) for w in windows] == audiocraft_loop(seconds, given)


@pytest.mark.parametrize("given", [0, 3, 24, 25, 26, 100, 119])
@pytest.mark.parametrize("total", [1, 10, 25, 26, 40, 41, 120])
def test_every_frame_is_written_once_and_continues_what_is_known(total: int, given: int) -> None:
    rule = WindowRule(25, 15)
    if given < total:
        known = given
        for window in plan_windows(total, given, rule):
            assert window.length <= rule.length
            assert window.start >= 0
            assert window.start + window.known == known
            assert window.known < window.length
            known = window.stop
        assert known == total


def test_a_given_part_longer_than_a_window_is_continued_from_its_end() -> None:
    assert plan_windows(2000, 1600, RULE) == (SlidingWindow(1000, 600, 1000),)


def test_a_piece_that_fits_has_one_window() -> None:
    assert plan_windows(1500, 0, RULE) == (SlidingWindow(0, 0, 1500),)


@pytest.mark.parametrize("given", [10, 11])
def test_nothing_left_to_write_is_a_mistake(given: int) -> None:
    with pytest.raises(ValueError, match="given"):
        plan_windows(10, given, RULE)
