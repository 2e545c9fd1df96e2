"""Jobs as rows of the database, rows as jobs, and the track of a finished job.

A row that is not a valid job, after damage or from a version with other limits, is shown to callers and never run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from tunesmith.errors import InvalidRequest
from tunesmith.fields import format_validation_error
from tunesmith.jobs.job import Failure, Job, JobOptions, JobResult, JobState, Submission
from tunesmith.library.schema import jobs
from tunesmith.library.tracks import NewTrack, TrackFile
from tunesmith.request import GenerationRequest


def row_of(submission: Submission, job_id: str, now: float) -> dict[str, Any]:
    """Return the row of a job that was just handed in, every column of it."""
    model = submission.model or submission.request.model
    return {
        **_EMPTY,
        "id": job_id,
        "state": JobState.QUEUED.value,
        "request": _request_columns(submission.request),
        "extra": submission.options.to_row(),
        "fingerprint": None if submission.idempotency_key is None else fingerprint(submission),
        "model": model,
        "generated_by": submission.generated_by or model,
        "audio_seconds": submission.audio_seconds,
        "dialect": submission.dialect,
        "priority": submission.priority,
        "owner": submission.owner or "",
        "idempotency_key": submission.idempotency_key,
        "created_at": now,
    }


def claim_values(worker: str, now: float) -> dict[str, Any]:
    """Return the columns of a job that a worker claims as it is handed in."""
    return {
        "state": JobState.LOADING.value, "stage": "loading", "worker": worker, "started_at": now,
        "attempts": 1, "claims": 1,
    }  # fmt: skip


def running_values(now: float, estimate: float | None) -> dict[str, Any]:
    """Return the columns of a job that begins to be made, and takes ``estimate`` seconds where that is known."""
    eta_at = None if estimate is None else now + estimate
    return {"state": JobState.RUNNING.value, "stage": "", "running_at": now, "eta_at": eta_at}


_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(column.name for column in jobs.c),
    "progress": 0.0, "stage": "", "attempts": 0, "claims": 0, "metadata": {}, "data_removed": False,
}  # fmt: skip


def _request_columns(request: GenerationRequest) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude_unset=True)


def fingerprint(submission: Submission) -> str:
    """Return what two submissions share only when they ask for the same thing."""
    identity = {
        "request": _request_columns(submission.request),
        "extra": submission.options.to_row(),
        "model": submission.model or submission.request.model,
        "dialect": submission.dialect,
    }
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def job_of(row: sa.RowMapping | Mapping[str, Any], now: float, known: Submission | None = None) -> Job:
    """Return the job that a row holds, its time left as of ``now``; ``known``, its submission, saves reading JSON."""
    kind, eta_at = row["error_kind"], row["eta_at"]
    return Job(
        **{name: row[name] for name in _AS_STORED},
        state=JobState(row["state"]),
        request=known.request if known else GenerationRequest.model_validate(row["request"]),
        options=known.options if known else JobOptions.from_row(row["extra"]),
        owner=row["owner"] or None,
        eta_seconds=None if eta_at is None else max(0.0, eta_at - now),
        result=None if row["result"] is None else JobResult(**row["result"]),
        failure=None if kind is None else Failure(kind, row["error_message"]),
    )


_AS_STORED = (
    "id", "model", "generated_by", "dialect", "priority", "idempotency_key", "progress", "stage", "created_at",
    "started_at", "running_at", "finished_at", "attempts", "worker", "metadata", "data_removed",
)  # fmt: skip
"""The attributes of a job that are columns as they are."""


def result_values(result: JobResult) -> dict[str, Any]:
    """Return a result as columns."""
    return {"digest": result.digest, "result": asdict(result)}


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


PLACEHOLDER = GenerationRequest(prompt="(the stored request cannot be read)")
LATEST_TIME = 253_402_300_799.0
"""The last second of the year 9999, the largest timestamp that datetime can represent."""

MAX_REASON = 300
_RESULT = TypeAdapter(JobResult)
_TIMES = ("created_at", "started_at", "running_at", "finished_at")
_NUMBERS = ("progress", "eta_at", *_TIMES)


class UnreadableJob(ValueError):
    """A row that is not a valid job; the message states why."""


def read_job(row: sa.RowMapping | Mapping[str, Any], now: float) -> Job:
    """Return the job of a row; ``now`` is a Unix timestamp. Raises UnreadableJob."""
    try:
        _check(row)
        return job_of(row, now)
    except ValidationError as error:
        raise UnreadableJob(format_validation_error(error)[:MAX_REASON]) from None
    # Damage may break any column in any way.
    except (InvalidRequest, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise UnreadableJob(str(error)[:MAX_REASON]) from None


def shown_job(row: sa.RowMapping | Mapping[str, Any], now: float) -> Job:
    """Return the job of a row, or what is readable of it; a job without a valid state counts as failed."""
    try:
        return read_job(row, now)
    except UnreadableJob as error:
        return _what_is_left(row, unreadable(error))


def unreadable(error: UnreadableJob) -> Failure:
    """Return the failure to record for a job that cannot be read."""
    return Failure("UnreadableJob", f"the stored job cannot be read: {error}")


def _check(row: sa.RowMapping | Mapping[str, Any]) -> None:
    for name in ("request", "extra", "metadata"):
        if not isinstance(row[name], dict):
            raise UnreadableJob(f"{name}: must be an object")
    for name in _NUMBERS:
        number = row[name]
        if number is not None and not (math.isfinite(number) and abs(number) <= LATEST_TIME):
            raise UnreadableJob(f"{name}: must be a time, got {number}")


def _what_is_left(row: sa.RowMapping | Mapping[str, Any], failure: Failure) -> Job:
    """Return a job from the readable columns; the audio of a job with an invalid request stays available."""
    result = _result(row["result"])
    state = JobState(row["state"]) if row["state"] in list(JobState) else JobState.FAILED
    # A success without a file would promise a download that cannot work.
    if state is JobState.SUCCEEDED and result is None:
        state = JobState.FAILED
    stored: dict[str, Any] = {name: str(row[name]) for name in ("id", "model", "generated_by", "dialect")}
    return Job(
        **stored | {name: _time(row[name]) for name in _TIMES[1:]},
        created_at=_time(row["created_at"]) or 0.0,
        state=state, request=_request(row["request"]), options=_options(row["extra"]),
        owner=str(row["owner"] or "") or None, progress=float(state is JobState.SUCCEEDED), result=result,
        priority=0, idempotency_key=None, stage="", eta_seconds=None, attempts=0, worker=None,
        failure=failure if state is JobState.FAILED else None,
        metadata=row["metadata"] if isinstance(row["metadata"], dict) else {},
        data_removed=bool(row["data_removed"]),
    )  # fmt: skip


def _request(stored: object) -> GenerationRequest:
    """Return a request from the fields that lists show, if those are valid."""
    if isinstance(stored, dict):
        # As much as is valid: the prompt alone is still useful.
        for names in (("prompt", "model", "seed"), ("prompt",)):
            with contextlib.suppress(ValueError):
                return GenerationRequest(**{name: stored[name] for name in names if name in stored})
    return PLACEHOLDER


def _options(stored: object) -> JobOptions:
    if isinstance(stored, dict):
        with contextlib.suppress(ValueError, InvalidRequest):
            return JobOptions.from_row(stored)
    return JobOptions()


def _result(stored: object) -> JobResult | None:
    if not isinstance(stored, dict):
        return None
    try:
        return _RESULT.validate_python(stored)
    except ValueError:
        return None


def _time(stored: object) -> float | None:
    return stored if isinstance(stored, float) and 0 <= stored <= LATEST_TIME else None
