"""WebhookOutbox: final webhooks that are not delivered yet, kept on disk so that a restart loses none.

::

    webhooks/
        01hx…    an empty file named after the job, from the start of its events until the last one is sent
"""

from __future__ import annotations

from pathlib import Path

from tunesmith.jobs.job import is_job_id


class WebhookOutbox:
    """The folder of undelivered final webhooks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, job_id: str) -> None:
        """Record that a job's last event must be sent."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / job_id).touch()

    def remove(self, job_id: str) -> None:
        """Record that it was sent, or never will be."""
        (self._folder / job_id).unlink(missing_ok=True)

    def ids(self) -> list[str]:
        """Return the jobs, oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if is_job_id(path.name))
