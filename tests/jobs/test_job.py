"""Job ids, and what a submission may hold."""

from __future__ import annotations

import re

import pytest
from work import asked

from tunesmith.errors import InvalidRequest
from tunesmith.jobs.job import JobState, new_job_id


def test_ids_sort_by_time_and_fit_a_url() -> None:
    ids = [new_job_id(1_800_000_000 + step / 1000) for step in range(0, 100_000, 997)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-z]{42}", one) for one in ids)


def test_ids_of_one_moment_differ_by_160_random_bits() -> None:
    extremes = [new_job_id(1.0, byte.__mul__) for byte in (b"\0", b"\xff")]
    assert extremes[0][:10] == extremes[1][:10]
    assert (extremes[0][10:], extremes[1][10:]) == ("0" * 32, "z" * 32)


def test_three_states_are_final() -> None:
    assert [state.value for state in JobState if state.is_final] == ["succeeded", "failed", "canceled"]


@pytest.mark.parametrize("field", ["idempotency_key", "owner", "generated_by", "dialect"])
@pytest.mark.parametrize("value", ["", "x" * 257, "a\0b", "\ud800"])
def test_what_a_database_cannot_hold_is_refused(field: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        asked(**{field: value})
