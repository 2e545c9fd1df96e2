"""JobEvents: that a job has changed is told here by whoever changes it, and heard by whoever cares."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith.jobs.job import Job

ChangeListener = Callable[[str, Job | None, bool], None]
"""Takes the id of a job that has changed, the job itself where it is known to have ended, and whether it goes on."""


class JobEvents:
    """Used from one event loop. What another server on the same database changes is not told here."""

    def __init__(self) -> None:
        self._listeners: list[ChangeListener] = []

    def subscribe(self, hear: ChangeListener) -> None:
        """Call ``hear`` for every job that changes from now on."""
        self._listeners.append(hear)

    def publish(self, job_id: str, ended: Job | None = None) -> None:
        """Say that a job has changed; whoever has it as it ended spares the others to read it."""
        for hear in self._listeners:
            hear(job_id, ended, False)

    def publish_progress(self, job_id: str) -> None:
        """Say that a job has changed and goes on, which those who only wait for its end need not know."""
        for hear in self._listeners:
            hear(job_id, None, True)
