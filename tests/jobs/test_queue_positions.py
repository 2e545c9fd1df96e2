"""Places in the queue, and how long it takes: the order shown is the order in which jobs are claimed."""

from __future__ import annotations

import random

import pytest
from databases import FakeClock
from work import RESULT, asked, claimed

from tunesmith.jobs.estimates import (
    WEIGHT,
    QueuedJob,
    QueuePosition,
    QueueSnapshot,
    RunningJob,
    Speed,
    SpeedEstimates,
    sorted_by_claim,
)
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import JobStore
from tunesmith.library.database import Database


def waiting(number: int, owner: str = "a", model: str = "m", priority: int = 0, turn: int = 0) -> QueuedJob:
    return QueuedJob(f"{number:03d}", model, owner, priority, turn, 10.0)


def test_positions_are_the_order_of_claims(database: Database, clock: FakeClock) -> None:
    store, queue, chance = JobStore(database, 500, clock), JobQueue(database, clock), random.Random(7)
    for _ in range(40):
        store.submit(asked(chance.choice("aaaabbc"), priority=chance.choice((0, 0, 0, 1))))
        clock.pass_(0.01)
    for _ in range(10):
        claimed(queue)
    places = store.queue().places()
    assert len(places) == 30
    assert [places[claimed(queue).job.id].position for _ in range(30)] == list(range(1, 31))


def test_the_documented_order() -> None:
    jobs = [*(waiting(number, "A") for number in range(4)), *(waiting(number, "B") for number in range(4, 6))]
    assert [(one.owner, one.id) for one in sorted_by_claim(jobs)] == [
        ("A", "000"), ("B", "004"), ("A", "001"), ("B", "005"), ("A", "002"), ("A", "003"),
    ]  # fmt: skip


def test_each_model_has_a_queue_of_its_own() -> None:
    places = QueueSnapshot([waiting(1, model="x"), waiting(2, model="y"), waiting(3, model="x")], [], {}).places()
    assert {job: place.position for job, place in places.items()} == {"001": 1, "002": 1, "003": 2}


def test_a_wait_is_the_work_ahead() -> None:
    queue = QueueSnapshot([waiting(1), waiting(2)], [RunningJob("m", 6.0)], {"m": Speed(0.5, 20.0)})
    assert queue.places() == {"001": QueuePosition(1, 6.0), "002": QueuePosition(2, 11.0)}


def test_the_work_ahead_is_shared_by_those_at_work() -> None:
    queue = QueueSnapshot(
        [waiting(1), waiting(2)], [RunningJob("m", 6.0), RunningJob("m", 4.0)], {"m": Speed(0.5, 20.0)}
    )
    assert queue.places() == {"001": QueuePosition(1, 5.0), "002": QueuePosition(2, 7.5)}


def test_a_model_that_is_not_loaded_is_loaded_first() -> None:
    queue = QueueSnapshot([waiting(1), waiting(2)], [], {"m": Speed(0.5, 20.0)})
    assert queue.places() == {"001": QueuePosition(1, 20.0), "002": QueuePosition(2, 25.0)}
    assert queue.places(loaded=["m"]) == {"001": QueuePosition(1, 0.0), "002": QueuePosition(2, 5.0)}


def test_what_was_never_measured_is_not_guessed() -> None:
    queue = QueueSnapshot([waiting(1), waiting(2)], [], {})
    assert queue.places() == {"001": QueuePosition(1, None), "002": QueuePosition(2, None)}
    assert queue.places(loaded=["m"]) == {"001": QueuePosition(1, 0.0), "002": QueuePosition(2, None)}


@pytest.mark.parametrize(("left", "seconds"), [([], 30), ([None], 30), ([8.2, 3.1], 4), ([0.0], 1), ([9e9], 600)])
def test_when_to_come_back_is_a_sensible_number(left: list[float | None], seconds: int) -> None:
    assert QueueSnapshot([], [RunningJob("m", one) for one in left], {}).retry_after() == seconds


def test_speeds_move_towards_what_is_measured(database: Database) -> None:
    book = SpeedEstimates(database)
    with database.write() as connection:
        assert book.of(connection, "m") == Speed()
        book.observe(connection, "m", Speed(seconds_per_audio_second=1.0))
        book.observe(connection, "m", Speed(load_seconds=8.0))
        assert book.all(connection) == {"m": Speed(1.0, 8.0)}
        book.observe(connection, "m", Speed(2.0, 4.0))
        assert book.of(connection, "m") == Speed(1.0 + WEIGHT, 8.0 - 4 * WEIGHT)
        for _ in range(40):
            book.observe(connection, "m", Speed(3.0))
        assert book.of(connection, "m").seconds_per_audio_second == pytest.approx(3.0, abs=1e-5)
        assert set(book.all(connection)) == {"m"}


def test_speeds_are_measured_by_the_work_and_foretell_the_next(database: Database, clock: FakeClock) -> None:
    store, queue = JobStore(database, 500, clock), JobQueue(database, clock, clock)
    for _ in range(2):
        job_id = store.submit(asked()).job.id
        claim = claimed(queue)
        clock.pass_(7)
        queue.running(claim, load_seconds=7.0)
        eta = store.get(job_id).eta_seconds
        clock.pass_(25)
        queue.succeed(claim, RESULT, {})
    assert eta == pytest.approx(25)
    assert store.queue().speeds == {"composer": Speed(2.5, 7.0)}


def test_an_estimate_counts_the_loading_where_there_is_one() -> None:
    assert Speed(0.5, 8.0).seconds_for(10) == 5
    assert Speed(0.5, 8.0).seconds_for(10, loaded=False) == 13
    assert Speed(0.5).seconds_for(10, loaded=False) is None
    assert Speed(None, 8.0).seconds_for(10) is None
