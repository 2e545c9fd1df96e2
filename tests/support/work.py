"""Jobs to test with: what is handed in, and what comes out."""

from __future__ import annotations

from typing import Any

from tunesmith.jobs.job import Claim, JobResult, Submission
from tunesmith.jobs.queue import JobQueue
from tunesmith.jobs.store import WorkerSlot
from tunesmith.request import GenerationRequest

RESULT = JobResult("ab" * 32, "wav", 1000, duration=10.0, sample_rate=32000, channels=1)


def asked(owner: str | None = None, **options: Any) -> Submission:
    """Return a submission of ten seconds; ``model`` and ``prompt`` go to the request."""
    request = {"model": options.pop("model", "composer"), "prompt": options.pop("prompt", "lofi")}
    return Submission(GenerationRequest(duration=10, **request), options.pop("dialect", "api"), owner, **options)


class NoStarter:
    """A starter of jobs without a worker: every job waits in the queue."""

    def wake(self, cancelled: str | None = None) -> None:
        pass

    def reserve(self, model: str) -> WorkerSlot | None:  # noqa: ARG002
        return None

    def release(self, model: str) -> None:
        raise AssertionError(f"no place for {model} was reserved")

    def start(self, claim: Claim) -> None:
        raise AssertionError(f"{claim} was claimed without a worker")


def claimed(queue: JobQueue, worker: str = "w1") -> Claim:
    """Claim a job there must be."""
    claim = queue.claim(worker)
    assert claim is not None
    return claim
