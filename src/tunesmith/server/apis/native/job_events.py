"""JobEventStream: the states of a job as server-sent events, cheap enough for thousands of subscribers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping

from tunesmith.errors import ServerStopping
from tunesmith.jobs.estimates import QueueEstimate, QueueEstimator
from tunesmith.jobs.job import Job, JobState
from tunesmith.jobs.service import MusicService
from tunesmith.server.apis.native.schemas import job_document, job_event
from tunesmith.server.apis.responses import SILENCE_SECONDS, STILL_HERE, sse_event

LOOK_SECONDS = 1.0
"""The poll interval in seconds for the queue position, which changes without a change of the job."""

DONE = "done"
KINDS: Mapping[JobState, str] = {
    JobState.QUEUED: "queued", JobState.LOADING: "loading", JobState.RUNNING: "progress",
    JobState.SUCCEEDED: DONE, JobState.FAILED: DONE, JobState.CANCELED: DONE,
}  # fmt: skip
"""The event name of each state."""


class JobEventStream:
    """The event streams of jobs."""

    def __init__(self, service: MusicService, estimator: QueueEstimator) -> None:
        self._service = service
        self._estimator = estimator

    async def of(self, job_id: str) -> AsyncIterator[str]:
        """Yield an event now and after each change, until the job ends or the server shuts down."""
        last_sent: tuple[object, ...] = ()
        sent_at = time.monotonic()
        job: Job | None = None
        with contextlib.suppress(ServerStopping), self._service.follow(job_id) as feed:
            while job is None or not job.state.is_final:
                # A timeout returns None, and the last state stays.
                job = await feed.after(job, _heartbeat_seconds(job, sent_at)) or job
                if job is None:
                    continue
                estimate = await self._estimator.estimate(job)
                # Without the ETA, which drifts all the time and would cause an event at every poll.
                new = (job.state, job.progress, job.stage, estimate.position)
                if new != last_sent:
                    last_sent, sent_at = new, time.monotonic()
                    yield _event(job, estimate)
                # Proxies cut connections that are silent for long.
                elif time.monotonic() - sent_at >= SILENCE_SECONDS:
                    sent_at = time.monotonic()
                    yield STILL_HERE


def _heartbeat_seconds(job: Job | None, sent_at: float) -> float:
    left = max(0.0, sent_at + SILENCE_SECONDS - time.monotonic())
    return min(left, LOOK_SECONDS) if job is None or job.state is JobState.QUEUED else left


def _event(job: Job, estimate: QueueEstimate) -> str:
    document = job_document(job, estimate) if job.state.is_final else job_event(job, estimate)
    return sse_event(KINDS[job.state], document)
