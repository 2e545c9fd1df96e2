"""Workers: which server processes live, so that the jobs of those that died are found and done again.

A worker is dead when its heartbeat is too old, or at once when its process is gone from this machine.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import sqlalchemy as sa

from tunesmith.jobs.job import new_job_id
from tunesmith.library.clock import Clock
from tunesmith.library.database import Database
from tunesmith.library.tables import workers

HEARTBEAT_SECONDS = 2.0
"""How often a worker should show that it lives."""

DEAD_SECONDS = 15.0
"""How old a heartbeat is when its worker is taken for dead."""

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


def is_gone(process: ProcessIdentity) -> bool:
    """Tell whether the process is known to have ended; of another host nothing is known."""
    if process.host != socket.gethostname():
        return False
    try:
        started_at = psutil.Process(process.process_id).create_time()
    except psutil.NoSuchProcess:
        return True
    return abs(started_at - process.started_at) > _SAME_PROCESS_SECONDS


class Workers:
    """The list of workers in a database."""

    def __init__(
        self, database: Database, clock: Clock = time.time, gone: Callable[[ProcessIdentity], bool] = is_gone
    ) -> None:
        self._database = database
        self._clock = clock
        self._gone = gone
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

    def bury(self) -> int:
        """Take the dead off the list and return how many there were; ``JobQueue.recover`` then finds their jobs."""
        oldest = self._clock() - DEAD_SECONDS
        with self._database.read() as connection:
            rows = connection.execute(sa.select(workers)).all()
        dead = [row for row in rows if row.heartbeat_at < oldest or self._gone(_process(row))]
        if not dead:
            return 0
        with self._database.write() as connection:
            # A worker that was heard of since it was read here is not dead.
            still = [(workers.c.id == row.id) & (workers.c.heartbeat_at == row.heartbeat_at) for row in dead]
            return connection.execute(sa.delete(workers).where(sa.or_(*still))).rowcount


def _process(row: sa.Row[tuple[object, ...]]) -> ProcessIdentity:
    return ProcessIdentity(row.host, row.process_id, row.process_started_at)
