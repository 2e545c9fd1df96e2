"""JobEvents: publish and subscribe for changes of jobs within one server."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.jobs.job import Job

ChangeListener = Callable[[str, Job | None, bool], None]
"""A subscriber: receives the job's id, the job itself if it is known to have ended, and whether it only progressed."""


class JobEvents:
    """The event bus of a server. Used from one event loop.

    Changes by other servers on the same database are not published here.
    """

    def __init__(self) -> None:
        self._listeners: list[ChangeListener] = []

    def subscribe(self, hear: ChangeListener) -> None:
        """Call ``hear`` for every change from now on."""
        self._listeners.append(hear)

    def publish(self, job_id: str, ended: Job | None = None) -> None:
        """Publish a change of a job; ``ended``, the job in its final state, spares subscribers a read."""
        for hear in self._listeners:
            hear(job_id, ended, False)

    def publish_progress(self, job_id: str) -> None:
        """Publish progress of a job; subscribers that wait only for the end ignore it."""
        for hear in self._listeners:
            hear(job_id, None, True)
