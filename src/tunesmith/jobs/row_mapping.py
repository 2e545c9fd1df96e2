"""Jobs as rows of the database, and rows as jobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from tunesmith.jobs.job import Failure, Job, JobResult, JobState, Submission
from tunesmith.jobs.options import JobOptions
from tunesmith.library.schema import jobs
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


def job_of(row: sa.RowMapping | Mapping[str, Any], now: float, request: GenerationRequest | None = None) -> Job:
    """Return the job that a row holds, its time left as of ``now``; ``request`` where it is known saves reading it."""
    kind, eta_at = row["error_kind"], row["eta_at"]
    return Job(
        id=row["id"],
        state=JobState(row["state"]),
        request=request or GenerationRequest.model_validate(row["request"]),
        options=JobOptions.from_row(row["extra"]),
        model=row["model"],
        generated_by=row["generated_by"],
        dialect=row["dialect"],
        priority=row["priority"],
        owner=row["owner"] or None,
        idempotency_key=row["idempotency_key"],
        progress=row["progress"],
        stage=row["stage"],
        eta_seconds=None if eta_at is None else max(0.0, eta_at - now),
        created_at=row["created_at"],
        started_at=row["started_at"],
        running_at=row["running_at"],
        finished_at=row["finished_at"],
        attempts=row["attempts"],
        worker=row["worker"],
        result=None if row["result"] is None else JobResult(**row["result"]),
        failure=None if kind is None else Failure(kind, row["error_message"]),
        metadata=row["metadata"],
        data_removed=row["data_removed"],
    )


def result_values(result: JobResult) -> dict[str, Any]:
    """Return a result as columns."""
    return {"digest": result.digest, "result": asdict(result)}
