"""A finished job as a track of the prompt log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.jobs.job import Job, JobResult
from tunesmith.library.track import NewTrack, TrackFile


def track_from_job(job: Job, result: JobResult, metadata: Mapping[str, Any], times: tuple[float, float]) -> NewTrack:
    """Return the track of a job; ``times`` are the start of generation and its end, as Unix timestamps in seconds."""
    began_at, finished_at = times
    started_at = began_at if job.started_at is None else job.started_at
    timings = {
        "queued": started_at - job.created_at,
        "load": began_at - started_at,
        "generate": finished_at - began_at,
        "total": finished_at - job.created_at,
    }
    return NewTrack(
        request={**job.request.model_dump(mode="json", exclude_unset=True), "model": job.generated_by},
        model=job.model,
        generated_by=job.generated_by,
        source=job.dialect,
        duration=result.duration,
        file=TrackFile(None, result.digest, result.format, result.bytes),
        metadata=metadata,
        # A clock that was set back must not produce negative durations.
        timings={name: max(0.0, round(seconds, 3)) for name, seconds in timings.items()},
        owner=job.owner,
        job_id=job.id,
        parent=job.options.parent,
    )
