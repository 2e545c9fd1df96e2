"""A snapshot of the queue: whose turn is next, and when each job will start.

Of the jobs with the highest priority, owners are served round-robin, and each owner's jobs first in, first out. With
owners A (four jobs) and B (two)::

    A1 B1 A2 B2 A3 A4
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tunesmith.jobs.speed_estimates import Speed, SpeedEstimates
from tunesmith.library.schema import ACTIVE_STATES, jobs, turns

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
