"""Changes: that a job has changed is told here by whoever changes it, and heard by whoever cares."""

from __future__ import annotations

from collections.abc import Callable

Hear = Callable[[str], None]


class Changes:
    """Used from one event loop. What another server on the same database changes is not told here."""

    def __init__(self) -> None:
        self._listeners: list[Hear] = []

    def listen(self, hear: Hear) -> None:
        """Call ``hear`` with the id of every job that changes from now on."""
        self._listeners.append(hear)

    def tell(self, job_id: str) -> None:
        """Say that a job has changed."""
        for hear in self._listeners:
            hear(job_id)
