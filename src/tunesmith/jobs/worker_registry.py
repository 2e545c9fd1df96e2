"""Workers: the liveness of server processes, so that the jobs of dead ones are recovered.

A worker is dead when its heartbeat has not changed for too long, or at once when its process on this machine is gone.
Silence is measured here on the monotonic clock: neither clock skew nor a clock that is set ends a worker.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import sqlalchemy as sa

from tunesmith.jobs.job import new_job_id
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.schema import workers

HEARTBEAT_SECONDS = 2.0
"""The heartbeat interval in seconds."""

DEAD_SECONDS = 15.0
"""The silence in seconds after which a worker is dead."""

WATCHED_SECONDS = 5.0
"""The time in seconds for which a worker must be observed before its silence counts."""

_SAME_PROCESS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process on a host; ``started_at`` distinguishes it from a later process with the same id."""

    host: str
    process_id: int
    started_at: float

    @classmethod
    def own(cls) -> ProcessIdentity:
        """Return the identity of this process."""
        process = psutil.Process()
        return cls(socket.gethostname(), process.pid, process.create_time())


def is_gone(process: ProcessIdentity, clock_shift: float = 0.0) -> bool:
    """Return whether the process is known to have ended; always False for another host.

    ``clock_shift`` is by how many seconds the clock was set since the process registered: Linux derives the start time
    of a process from the present clock.
    """
    if process.host != socket.gethostname():
        return False
    try:
        started_at = psutil.Process(process.process_id).create_time()
    except psutil.NoSuchProcess:
        return True
    # A process id is reused sooner or later, so the start time decides.
    later = started_at - process.started_at
    return min(abs(later), abs(later - clock_shift)) > _SAME_PROCESS_SECONDS


class WorkerRegistry:
    """The table of workers in a database."""

    def __init__(
        self, database: Database, clock: Clock = time.time, gone: Callable[[ProcessIdentity], bool] | None = None,
        elapsed: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._gone = gone or self._is_gone
        # If this time changes later, the clock was set by the difference.
        self._own_start = psutil.Process().create_time()
        self._elapsed = elapsed
        # The last heartbeat of each worker, and when it first appeared here on the monotonic clock.
        self._heartbeats: dict[str, tuple[float, float]] = {}
        self._heartbeat = database.upsert(workers, "id")

    def join(self, process: ProcessIdentity) -> str:
        """Register a worker and return its id."""
        worker = new_job_id(self._clock())
        self.heartbeat(worker, process)
        return worker

    def heartbeat(self, worker: str, process: ProcessIdentity) -> None:
        """Write a heartbeat; a worker that was declared dead is registered again, but has lost its jobs."""
        values = {
            "id": worker, "host": process.host, "process_id": process.process_id,
            "process_started_at": process.started_at, "heartbeat_at": self._clock(),
        }  # fmt: skip
        with self._database.write(may_be_lost=True) as connection:
            connection.execute(self._heartbeat, values)

    @property
    def has_peers(self) -> bool:
        """Whether ``remove_dead`` last found more than one worker."""
        return len(self._heartbeats) > 1

    def leave(self, worker: str) -> None:
        """Unregister a worker that shuts down."""
        with self._database.write() as connection:
            connection.execute(sa.delete(workers).where(workers.c.id == worker))

    def remove_dead(self) -> int:
        """Remove dead workers and return how many there were; ``JobQueue.recover`` then requeues their jobs."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(workers)).all()
        self._heartbeats = {row.id: (row.heartbeat_at, self._silent_since(row)) for row in rows}
        silent = {worker for worker, (_, since) in self._heartbeats.items() if self._elapsed() - since > DEAD_SECONDS}
        dead = [row for row in rows if row.id in silent or self._gone(_process(row))]
        if not dead:
            return 0
        with self._database.write() as connection:
            # A compare-and-set: a worker that has sent a heartbeat since the read is alive.
            still = [(workers.c.id == row.id) & (workers.c.heartbeat_at == row.heartbeat_at) for row in dead]
            return connection.execute(sa.delete(workers).where(sa.or_(*still))).rowcount

    def _silent_since(self, row: sa.Row[Any]) -> float:
        """Return since when a worker is silent, on the monotonic clock.

        A worker that is new here counts as silent since its own timestamp, but only up to a limit: clocks may disagree.
        """
        now = self._elapsed()
        if row.id not in self._heartbeats:
            age = max(0.0, self._clock() - float(row.heartbeat_at))
            # At most this much: a worker whose clock is slow has time for two heartbeats before it counts as dead.
            return now - min(age, DEAD_SECONDS - WATCHED_SECONDS)
        heartbeat, since = self._heartbeats[row.id]
        return now if heartbeat != row.heartbeat_at else since

    def _is_gone(self, process: ProcessIdentity) -> bool:
        return is_gone(process, psutil.Process().create_time() - self._own_start)


def _process(row: sa.Row[tuple[object, ...]]) -> ProcessIdentity:
    return ProcessIdentity(row.host, row.process_id, row.process_started_at)
