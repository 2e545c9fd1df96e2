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

    def __init__(self, service: MusicService, outlook: QueueEstimator) -> None:
        self._service = service
        self._outlook = outlook

    async def of(self, job_id: str) -> AsyncIterator[str]:
        """Yield an event now and after each change, until the job ends or the server shuts down."""
        said: tuple[object, ...] = ()
        said_at = time.monotonic()
        job: Job | None = None
        with contextlib.suppress(ServerStopping), self._service.follow(job_id) as feed:
            while job is None or not job.state.is_final:
                # A timeout returns None, and the last state stays.
                job = await feed.after(job, _heartbeat_seconds(job, said_at)) or job
                if job is None:
                    continue
                prospect = await self._outlook.estimate(job)
                # Without the ETA, which drifts all the time and would cause an event at every poll.
                new = (job.state, job.progress, job.stage, prospect.position)
                if new != said:
                    said, said_at = new, time.monotonic()
                    yield _event(job, prospect)
                # Proxies cut connections that are silent for long.
                elif time.monotonic() - said_at >= SILENCE_SECONDS:
                    said_at = time.monotonic()
                    yield STILL_HERE


def _heartbeat_seconds(job: Job | None, said_at: float) -> float:
    left = max(0.0, said_at + SILENCE_SECONDS - time.monotonic())
    return min(left, LOOK_SECONDS) if job is None or job.state is JobState.QUEUED else left


def _event(job: Job, prospect: QueueEstimate) -> str:
    told = job_document(job, prospect) if job.state.is_final else job_event(job, prospect)
    return sse_event(KINDS[job.state], told)
