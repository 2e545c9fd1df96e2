"""Workers: which server processes live, so that the jobs of those that died are found and done again.

A worker is dead when its heartbeat has not changed for too long, or at once when its process is gone from this machine.
How long is measured here, by a clock that nobody sets: neither clocks that disagree nor one that jumps end a worker.
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
"""How often a worker should show that it lives."""

DEAD_SECONDS = 15.0
"""How long a heartbeat has not changed when its worker is taken for dead."""

WATCHED_SECONDS = 5.0
"""How long at least a worker is watched before its silence means that it is dead."""

_SAME_PROCESS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process on a host; ``started_at`` tells it from a later one with the same id."""

    host: str
    process_id: int
    started_at: float

    @classmethod
    def own(cls) -> ProcessIdentity:
        """Return this process."""
        process = psutil.Process()
        return cls(socket.gethostname(), process.pid, process.create_time())


def is_gone(process: ProcessIdentity, clock_shift: float = 0.0) -> bool:
    """Tell whether the process is known to have ended; of another host nothing is known.

    ``clock_shift`` is by how many seconds the clock was set since the process was listed: Linux tells when a process
    started by the clock of today.
    """
    if process.host != socket.gethostname():
        return False
    try:
        started_at = psutil.Process(process.process_id).create_time()
    except psutil.NoSuchProcess:
        return True
    later = started_at - process.started_at
    return min(abs(later), abs(later - clock_shift)) > _SAME_PROCESS_SECONDS


class Workers:
    """The list of workers in a database."""

    def __init__(
        self, database: Database, clock: Clock = time.time, gone: Callable[[ProcessIdentity], bool] | None = None,
        elapsed: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._gone = gone or self._is_gone
        self._own_start = psutil.Process().create_time()
        self._elapsed = elapsed
        self._heard: dict[str, tuple[float, float]] = {}  # heartbeats, and since when they have been the newest
        self._heartbeat = database.upsert(workers, "id")

    def join(self, process: ProcessIdentity) -> str:
        """Put a worker on the list and return its id."""
        worker = new_job_id(self._clock())
        self.heartbeat(worker, process)
        return worker

    def heartbeat(self, worker: str, process: ProcessIdentity) -> None:
        """Show that a worker lives; one that was taken for dead is listed again, but its jobs may be others' now."""
        values = {
            "id": worker, "host": process.host, "process_id": process.process_id,
            "process_started_at": process.started_at, "heartbeat_at": self._clock(),
        }  # fmt: skip
        with self._database.write() as connection:
            connection.execute(self._heartbeat, values)

    def leave(self, worker: str) -> None:
        """Take a worker off the list that shuts down."""
        with self._database.write() as connection:
            connection.execute(sa.delete(workers).where(workers.c.id == worker))

    def remove_dead(self) -> int:
        """Take the dead off the list and return how many there were; ``JobQueue.recover`` then finds their jobs."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(workers)).all()
        self._heard = {row.id: (row.heartbeat_at, self._silent_since(row)) for row in rows}
        silent = {worker for worker, (_, since) in self._heard.items() if self._elapsed() - since > DEAD_SECONDS}
        dead = [row for row in rows if row.id in silent or self._gone(_process(row))]
        if not dead:
            return 0
        with self._database.write() as connection:
            # A worker that was heard of since it was read here is not dead.
            still = [(workers.c.id == row.id) & (workers.c.heartbeat_at == row.heartbeat_at) for row in dead]
            return connection.execute(sa.delete(workers).where(sa.or_(*still))).rowcount

    def _silent_since(self, row: sa.Row[Any]) -> float:
        """Return since when a worker has not been heard; of one that is new here its own time tells at most so much."""
        now = self._elapsed()
        if row.id not in self._heard:
            age = max(0.0, self._clock() - float(row.heartbeat_at))
            return now - min(age, DEAD_SECONDS - WATCHED_SECONDS)
        heartbeat, since = self._heard[row.id]
        return now if heartbeat != row.heartbeat_at else since

    def _is_gone(self, process: ProcessIdentity) -> bool:
        return is_gone(process, psutil.Process().create_time() - self._own_start)


def _process(row: sa.Row[tuple[object, ...]]) -> ProcessIdentity:
    return ProcessIdentity(row.host, row.process_id, row.process_started_at)
