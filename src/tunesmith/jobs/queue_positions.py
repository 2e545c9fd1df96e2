"""The queue seen as a whole: whose turn it is, and when each job's turn will come.

Of the jobs with the highest priority, owners are served in turn, and of one owner's jobs the oldest is first. With
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
"""What a job is taken to need where its model was never measured; only to say when to come back."""

MAX_RETRY_SECONDS = 600


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Where a job stands among those of its model: 1 is next. ``wait_seconds`` is None where nobody can know."""

    position: int
    wait_seconds: float | None


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job in the queue; ``turn`` is when its owner was last served."""

    id: str
    model: str
    owner: str
    priority: int
    turn: int
    audio_seconds: float


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job being made; ``seconds_left`` is None where nobody can know."""

    model: str
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """What waits, what is being made, and how fast each model is."""

    waiting: Sequence[QueuedJob]
    active: Sequence[RunningJob]
    speeds: Mapping[str, Speed]

    def places(self, loaded: Collection[str] = ()) -> Mapping[str, QueuePosition]:
        """Return each waiting job's place by its id; ``loaded`` are the models that are in memory."""
        lanes: dict[str, list[QueuedJob]] = defaultdict(list)
        for one in sorted_by_claim(self.waiting):
            lanes[one.model].append(one)
        return {
            job_id: place
            for model, lane in lanes.items()
            for job_id, place in self._places_in(model, lane, model in loaded)
        }

    def _places_in(self, model: str, lane: Iterable[QueuedJob], loaded: bool) -> Iterable[tuple[str, QueuePosition]]:
        """Share the work ahead of each job between as many as are being made at once now."""
        beside = [one.seconds_left for one in self.active if one.model == model]
        speed = self.speeds.get(model, Speed())
        ahead = _sum(beside)
        if not beside and not loaded:
            ahead = speed.load_seconds
        for position, one in enumerate(lane, start=1):
            yield one.id, QueuePosition(position, None if ahead is None else ahead / max(1, len(beside)))
            ahead = _sum([ahead, speed.seconds_for(one.audio_seconds)])

    def retry_after(self) -> int:
        """Estimate the whole seconds until the next job leaves the queue."""
        left = [UNKNOWN_SECONDS if one.seconds_left is None else one.seconds_left for one in self.active]
        return max(1, min(MAX_RETRY_SECONDS, math.ceil(min(left, default=UNKNOWN_SECONDS))))


def sorted_by_claim(waiting: Iterable[QueuedJob]) -> list[QueuedJob]:
    """Sort by the order in which they will be claimed."""
    nth: Counter[tuple[int, str]] = Counter()
    keyed = []
    for one in sorted(waiting, key=lambda one: one.id):
        nth[one.priority, one.owner] += 1
        keyed.append(((-one.priority, nth[one.priority, one.owner], one.turn, one.id), one))
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def read_queue(connection: sa.Connection, speeds: SpeedEstimates, now: float) -> QueueSnapshot:
    """Read the queue as it is."""
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
