"""Views: jobs as our own dialect shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tunesmith.audio.formats import FORMATS
from tunesmith.audio.markers import loop_points_json
from tunesmith.jobs.estimates import QueueEstimate
from tunesmith.jobs.job import Job, JobResult
from tunesmith.server.apis.errors import message_of
from tunesmith.server.apis.native.schemas import (
    ErrorDetail,
    JobDocument,
    JobEvent,
    Links,
    LoopDocument,
    ResultDocument,
    Timings,
)
from tunesmith.server.errors import JobFailed

JOBS = "/api/jobs"
_PATHS_OF_OURS = {"soundfont", "audio", "melody"}


def job_document(job: Job, prospect: QueueEstimate) -> JobDocument:
    """Return all there is to tell of a job."""
    return JobDocument(
        id=job.id,
        state=job.state,
        prompt=job.request.prompt,
        model=job.model,
        generated_by=job.generated_by,
        request=job.request.model_dump(mode="json", exclude_unset=True, exclude=_PATHS_OF_OURS),
        dialect=job.dialect,
        progress=job.progress,
        stage=job.stage,
        position=prospect.position,
        wait_seconds=prospect.wait_seconds,
        eta_seconds=prospect.eta_seconds,
        created_at=to_iso8601(job.created_at),
        started_at=None if job.started_at is None else to_iso8601(job.started_at),
        finished_at=None if job.finished_at is None else to_iso8601(job.finished_at),
        timings=timings(job),
        result=_result(job),
        metadata={name: value for name, value in job.metadata.items() if name != "request"},
        error=_error(job),
        links=Links(self=path_of(job.id), events=f"{path_of(job.id)}/events", audio=f"{path_of(job.id)}/audio"),
    )


def job_news(job: Job, prospect: QueueEstimate) -> JobEvent:
    """Return what changes while a job is on its way."""
    return JobEvent(
        id=job.id,
        state=job.state,
        progress=job.progress,
        stage=job.stage,
        position=prospect.position,
        wait_seconds=prospect.wait_seconds,
        eta_seconds=prospect.eta_seconds,
    )


def timings(job: Job) -> Timings:
    """Return how long each stage took."""
    total = None if job.finished_at is None else max(0.0, job.finished_at - job.created_at)
    return Timings(
        queued_seconds=job.queued_seconds,
        load_seconds=job.load_seconds,
        generate_seconds=job.generate_seconds,
        total_seconds=total,
    )


def timing_headers(job: Job) -> dict[str, str]:
    """Return how long each stage took, as headers."""
    took = timings(job).model_dump(exclude_none=True)
    return {f"x-tunesmith-{name.replace('_', '-')}": f"{seconds:.3f}" for name, seconds in took.items()}


def path_of(job_id: str) -> str:
    """Return where a job is on this server."""
    return f"{JOBS}/{job_id}"


def media_type_of(job: Job) -> str:
    """Return the media type of a finished job's file."""
    assert job.result
    return job.result.media_type


def to_iso8601(seconds: float) -> datetime:
    """Return a time, given in seconds since 1970 in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _result(job: Job) -> ResultDocument | None:
    made = job.result
    if made is None or job.data_removed:
        return None
    return ResultDocument(
        url=f"{path_of(job.id)}/audio",
        format=made.format,
        media_type=media_type_of(job),
        bytes=made.bytes,
        sha256=made.digest,
        duration=made.duration,
        sample_rate=made.sample_rate,
        channels=made.channels,
        loop_points=_loop_points(job.metadata, made),
    )


def _loop_points(metadata: Mapping[str, Any], made: JobResult) -> list[LoopDocument] | None:
    """Return the loop points at the rate of the file, which its format may have set."""
    if not made.is_sound:
        return None
    rate = FORMATS[f".{made.format}"].sample_rate(made.sample_rate)
    return [LoopDocument(**one) for one in loop_points_json(metadata, rate) or ()] or None


def _error(job: Job) -> ErrorDetail | None:
    if job.failure is None:
        return None
    failed = JobFailed(job.failure)
    return ErrorDetail(type=failed.kind, message=message_of(failed), field=failed.field)
