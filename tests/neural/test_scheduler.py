"""Scheduler: first come, first served, whatever the number of rows; used rows are always the first ones."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest, QueueFull
from tunesmith.neural.batch_sequence import BatchSequence, State
from tunesmith.neural.scheduler import Scheduler

Queue = Scheduler[BatchSequence]


def scheduler_with(*num_rows: int, rows: int = 4, waiting: int = 8) -> tuple[Queue, list[BatchSequence]]:
    scheduler: Queue = Scheduler(rows, waiting)
    sequences = [BatchSequence(count) for count in num_rows]
    for sequence in sequences:
        scheduler.add(sequence)
    return scheduler, sequences


def test_a_small_sequence_never_overtakes_a_large_one() -> None:
    scheduler, (first, large, small) = scheduler_with(2, 3, 1)
    assert scheduler.admit() == [first]
    assert scheduler.admit() == []
    scheduler.release(first)
    assert scheduler.admit() == [large, small]
    assert (large.rows, small.rows) == ((0, 1, 2), (3,))


def test_moves_close_the_gaps_that_ended_sequences_leave() -> None:
    scheduler, (first, second, third) = scheduler_with(1, 2, 1)
    scheduler.admit()
    scheduler.release(first)
    moves = [(source, target) for _, source, target in scheduler.moves()]
    assert moves == [(3, 0)]
    assert (second.rows, third.rows) == ((1, 2), (0,))


def test_cancelled_sequences_are_found_in_the_queue_and_in_the_batch() -> None:
    scheduler, (active, waiting, other) = scheduler_with(4, 1, 1)
    scheduler.admit()
    active.cancel()
    waiting.cancel()
    assert scheduler.cancelled() == [waiting, active]
    scheduler.release(active)
    assert scheduler.admit() == [other]
    scheduler.release(other)
    assert scheduler.is_empty


def test_only_running_sequences_take_part_in_a_step() -> None:
    scheduler, (first, second) = scheduler_with(1, 1)
    scheduler.admit()
    second.state = State.RUNNING
    assert (first.state, scheduler.running) == (State.PREFILLING, [second])


def test_too_many_and_too_large_sequences_are_refused() -> None:
    scheduler, _ = scheduler_with(1, waiting=1)
    with pytest.raises(QueueFull):
        scheduler.add(BatchSequence(1))
    with pytest.raises(InvalidRequest, match="needs 5 rows, this engine has 4"):
        scheduler.add(BatchSequence(5))
