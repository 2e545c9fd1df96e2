"""When a request is made again, and after how long."""

from __future__ import annotations

import json

import pytest
from budgets import VALUES
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.client.reply import Reply
from tunesmith.client.retries import (
    LONGEST_PAUSE_SECONDS,
    MAX_UNANSWERED,
    PASSING,
    Deadline,
    is_retryable,
    pause_after,
    retry_after,
)

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "12"}, {}, 12.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, {}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2022 22:13:50 GMT"}, {}, 0.0),
        ({"retry-after": "soon"}, {"estimated_time": 7.5}, 7.5),
        ({}, {"estimated_time": 20}, 20.0),
        ({}, {"estimated_time": "soon"}, None),
        ({}, ["estimated_time"], None),
    ],
)
def test_the_server_says_when(headers: dict[str, str], body: object, seconds: float | None) -> None:
    assert retry_after(Reply(503, headers, json.dumps(body).encode()), lambda: NOW) == seconds


@VALUES
@given(st.integers(1, 50), st.floats(0, 1))
def test_pauses_grow_to_a_limit_and_are_drawn_below_it(attempt: int, draw: float) -> None:
    pause = pause_after(attempt, Reply(502), lambda: draw)
    assert 0 <= pause <= LONGEST_PAUSE_SECONDS
    assert pause <= pause_after(attempt + 1, Reply(502), lambda: draw)


@VALUES
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_nobody_comes_back_before_time_or_much_later(seconds: int, draw: float) -> None:
    pause = pause_after(1, Reply(429, {"retry-after": str(seconds)}), lambda: draw)
    assert seconds <= pause <= seconds + 1


def test_mistakes_are_not_repeated_and_silence_not_for_ever() -> None:
    assert not any(is_retryable(Reply(status), 1) for status in (400, 401, 403, 404, 409, 413, 422, 500))
    assert all(is_retryable(Reply(status), 1000) for status in PASSING)
    silent = Reply(0, problem="reset")
    assert [is_retryable(silent, attempt) for attempt in (1, MAX_UNANSWERED)] == [True, False]


def test_a_deadline_passes() -> None:
    now = [5.0]
    deadline = Deadline.after(2, lambda: now[0])
    assert deadline.left == 2.0
    now[0] = 8.0
    assert deadline.left == 0.0
