"""Estimates: the measured speed of each model, the order of the queue, and the position and ETA of a job.

Of the jobs with the highest priority, owners are served round-robin, and each owner's jobs first in, first out. With
owners A (four jobs) and B (two)::

    A1 B1 A2 B2 A3 A4
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tunesmith.jobs.job import Job, JobState
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.schema import ACTIVE_STATES, jobs, speeds, turns

WEIGHT = 0.3
"""The weight of the newest measurement in the exponential moving average: about the last six count."""

MAX_SECONDS_PER_AUDIO_SECOND, MAX_LOAD_SECONDS = 3_600.0, 86_400.0
"""The limits of a plausible measurement; anything beyond, negative or not finite comes from a clock that was set or
from damage."""

_ALL = sa.select(speeds)
_ONE = sa.select(speeds).where(speeds.c.model == sa.bindparam("the_model"))


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed of a model: work per second of audio, and seconds to load it; None if never measured."""

    seconds_per_audio_second: float | None = None
    load_seconds: float | None = None

    def seconds_for(self, audio_seconds: float, loaded: bool = True) -> float | None:
        """Return the estimated seconds for ``audio_seconds`` of music, plus the load unless ``loaded``, or None."""
        if self.seconds_per_audio_second is None or (not loaded and self.load_seconds is None):
            return None
        return self.seconds_per_audio_second * audio_seconds + (0.0 if loaded else self.load_seconds or 0.0)


class SpeedEstimates:
    """The table of speeds, read and updated within the caller's transaction."""

    def __init__(self, database: Database) -> None:
        insert = database.insert(speeds)
        moved = {name: _moving_average(speeds.c[name], insert.excluded[name], _LIMITS[name]) for name in _LIMITS}
        # The database computes the average, so that concurrent servers lose no measurement.
        self._observe = insert.on_conflict_do_update(index_elements=["model"], set_=moved)

    def all(self, connection: sa.Connection) -> Mapping[str, Speed]:
        """Return the speed of every model by name."""
        return {row.model: _plausible(row) for row in connection.execute(_ALL)}

    def of(self, connection: sa.Connection, model: str) -> Speed:
        """Return the speed of a model; all None if it was never measured."""
        row = connection.execute(_ONE, {"the_model": model}).first()
        return Speed() if row is None else _plausible(row)

    def observe(self, connection: sa.Connection, model: str, measured: Speed) -> None:
        """Update the averages with a measurement; values that are None or implausible change nothing."""
        found = _plausible(measured)
        values = {
            "model": model,
            "seconds_per_audio_second": found.seconds_per_audio_second,
            "load_seconds": found.load_seconds,
        }
        connection.execute(self._observe, values)


_LIMITS = {"seconds_per_audio_second": MAX_SECONDS_PER_AUDIO_SECOND, "load_seconds": MAX_LOAD_SECONDS}


def _plausible(found: Speed | sa.Row[Any]) -> Speed:
    """Return the speed without implausible values."""
    speed, load = found.seconds_per_audio_second, found.load_seconds
    return Speed(
        speed if speed is not None and 0 < speed <= MAX_SECONDS_PER_AUDIO_SECOND else None,
        load if load is not None and 0 <= load <= MAX_LOAD_SECONDS else None,
    )


def _moving_average(
    stored: sa.ColumnElement[float], measured: sa.ColumnElement[float], most: float
) -> sa.ColumnElement[float]:
    """Return the SQL of the moving average; if either value is NULL or implausible, the other one."""
    # NULL if the stored value is implausible, so that damage heals with the next measurement.
    before = sa.case((stored.between(0, most), stored))
    return sa.func.coalesce(before + WEIGHT * (measured - before), measured, before)


UNKNOWN_SECONDS = 30.0
"""The duration in seconds of a job whose model was never measured; used for ``Retry-After`` only."""

MAX_RETRY_SECONDS = 600


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The queue position of a job among those of its model: 1 is next. ``wait_seconds`` is None if unknown."""

    position: int
    wait_seconds: float | None


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job in the queue; ``turn`` is the number of its owner's last turn, 0 for none."""

    id: str
    model: str
    owner: str
    priority: int
    turn: int
    audio_seconds: float


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A running job; ``seconds_left`` is None if unknown."""

    model: str
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The waiting jobs, the running jobs, and the speed of each model."""

    waiting: Sequence[QueuedJob]
    active: Sequence[RunningJob]
    speeds: Mapping[str, Speed]

    def places(self, loaded: Collection[str] = ()) -> Mapping[str, QueuePosition]:
        """Return the position of each waiting job by id; ``loaded`` are the models in memory."""
        lanes: dict[str, list[QueuedJob]] = defaultdict(list)
        for one in sorted_by_claim(self.waiting):
            lanes[one.model].append(one)
        return {
            job_id: position
            for model, lane in lanes.items()
            for job_id, position in self._places_in(model, lane, model in loaded)
        }

    def _places_in(self, model: str, lane: Iterable[QueuedJob], loaded: bool) -> Iterable[tuple[str, QueuePosition]]:
        """Divide the work ahead of each job by the number of jobs of the model that run in parallel now."""
        beside = [one.seconds_left for one in self.active if one.model == model]
        speed = self.speeds.get(model, Speed())
        ahead = _sum(beside)
        if not beside and not loaded:
            # Nothing runs and the model is not loaded, so the first job waits for the load.
            ahead = speed.load_seconds
        for position, one in enumerate(lane, start=1):
            # One unknown duration makes every later wait unknown.
            yield one.id, QueuePosition(position, None if ahead is None else ahead / max(1, len(beside)))
            ahead = _sum([ahead, speed.seconds_for(one.audio_seconds)])

    def retry_after(self) -> int:
        """Return the seconds until the next job leaves the queue, for ``Retry-After``: 1 to ``MAX_RETRY_SECONDS``."""
        # A guess is better than no Retry-After: clients would retry at once.
        left = [UNKNOWN_SECONDS if one.seconds_left is None else one.seconds_left for one in self.active]
        return max(1, min(MAX_RETRY_SECONDS, math.ceil(min(left, default=UNKNOWN_SECONDS))))


def sorted_by_claim(waiting: Iterable[QueuedJob]) -> list[QueuedJob]:
    """Sort jobs in the order in which they will be claimed (round-robin between owners)."""
    nth: Counter[tuple[int, str]] = Counter()
    keyed = []
    for one in sorted(waiting, key=lambda one: one.id):
        # An owner's n-th job is served in round n, whatever the other owners have submitted.
        nth[one.priority, one.owner] += 1
        keyed.append(((-one.priority, nth[one.priority, one.owner], one.turn, one.id), one))
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def read_queue(connection: sa.Connection, speeds: SpeedEstimates, now: float) -> QueueSnapshot:
    """Read a snapshot of the queue within the caller's transaction."""
    waiting = [QueuedJob(*row) for row in connection.execute(_WAITING)]
    return QueueSnapshot(waiting, _active(connection, now), speeds.all(connection))


_WAITING = (
    sa.select(
        jobs.c.id, jobs.c.generated_by, jobs.c.owner, jobs.c.priority,
        sa.func.coalesce(turns.c.turn, 0), jobs.c.audio_seconds,
    )
    .join_from(jobs, turns, turns.c.owner == jobs.c.owner, isouter=True)
    .where(jobs.c.state == "queued")
)  # fmt: skip
_ACTIVE = sa.select(jobs.c.generated_by, jobs.c.eta_at).where(jobs.c.state.in_(ACTIVE_STATES))


def _active(connection: sa.Connection, now: float) -> list[RunningJob]:
    rows = connection.execute(_ACTIVE)
    return [RunningJob(model, None if eta_at is None else max(0.0, eta_at - now)) for model, eta_at in rows]


def _sum(seconds: Iterable[float | None]) -> float | None:
    total = 0.0
    for one in seconds:
        if one is None:
            return None
        total += one
    return total


LOOK_SECONDS = 0.5
"""The longest age in seconds of a snapshot of the queue."""


@dataclass(frozen=True, slots=True)
class QueueEstimate:
    """An estimate in seconds: ``wait_seconds`` until a job starts, ``eta_seconds`` until it ends; None if unknown.

    ``position`` is 1 for the next job of its model, and None once the job has started.
    """

    position: int | None = None
    wait_seconds: float | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Snapshot:
    at: float
    places: Mapping[str, QueuePosition]
    speeds: Mapping[str, Speed]


class QueueEstimator:
    """Estimates from cached snapshots of the queue. Used from one event loop.

    ``read`` is called in a thread; ``loaded`` returns the models in memory.
    """

    def __init__(
        self, read: Callable[[], QueueSnapshot], loaded: Callable[[], Collection[str]], clock: Clock,
        elapsed: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._read = read
        self._loaded = loaded
        self._clock = clock
        self._elapsed = elapsed
        self._last = _Snapshot(float("-inf"), {}, {})
        self._looking: asyncio.Task[_Snapshot] | None = None

    async def estimate(self, job: Job) -> QueueEstimate:
        """Return the queue position and ETA of a job."""
        if job.state is JobState.QUEUED:
            look = await self._snapshot(job)
            return _of_waiting(job, look.places.get(job.id), look.speeds.get(job.generated_by, Speed()))
        if job.state is JobState.LOADING:
            look = await self._snapshot(job)
            # Loading is part of the time that is left.
            estimate = look.speeds.get(job.generated_by, Speed()).seconds_for(job.audio_seconds, loaded=False)
            elapsed = max(0.0, self._clock() - (job.started_at or self._clock()))
            return QueueEstimate(eta_seconds=None if estimate is None else max(0.0, estimate - elapsed))
        return QueueEstimate(eta_seconds=job.eta_seconds)

    async def _snapshot(self, job: Job) -> _Snapshot:
        """Return a snapshot that is fresh enough, and younger than the job."""
        now, age = self._elapsed(), max(0.0, self._clock() - job.created_at)
        if self._last.at < now - min(age, LOOK_SECONDS):
            self._last = await self._next()
            # The read that this call joined had started before the job was submitted.
            if self._last.at < now - age:
                self._last = await self._next()
        return self._last

    async def _next(self) -> _Snapshot:
        """Join the read in progress, or start one (single flight)."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(asyncio.to_thread(self._take, self._elapsed(), self._loaded()))
        # Other callers wait for the same read, so a cancelled caller must not cancel it.
        return await asyncio.shield(self._looking)

    def _take(self, now: float, loaded: Collection[str]) -> _Snapshot:
        queue = self._read()
        return _Snapshot(now, queue.places(loaded), queue.speeds)


def _of_waiting(job: Job, position: QueuePosition | None, speed: Speed) -> QueueEstimate:
    if position is None:
        return QueueEstimate()
    work = speed.seconds_for(job.audio_seconds)
    seconds = position.wait_seconds
    total = None if seconds is None or work is None else seconds + work
    return QueueEstimate(position.position, seconds, total)
