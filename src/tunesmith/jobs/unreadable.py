"""Rows that are not valid jobs, after damage or from a version with other limits: callers see them, none is run."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from tunesmith.errors import InvalidRequest
from tunesmith.field_errors import format_validation_error
from tunesmith.jobs.job import Failure, Job, JobResult, JobState
from tunesmith.jobs.options import JobOptions
from tunesmith.jobs.row_mapping import job_of
from tunesmith.request import GenerationRequest

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
    return Job(
        id=str(row["id"]),
        state=state,
        request=_request(row["request"]),
        options=_options(row["extra"]),
        model=str(row["model"]),
        generated_by=str(row["generated_by"]),
        dialect=str(row["dialect"]),
        priority=0,
        owner=str(row["owner"] or "") or None,
        idempotency_key=None,
        progress=float(state is JobState.SUCCEEDED),
        stage="",
        eta_seconds=None,
        created_at=_time(row["created_at"]) or 0.0,
        started_at=_time(row["started_at"]),
        running_at=_time(row["running_at"]),
        finished_at=_time(row["finished_at"]),
        attempts=0,
        worker=None,
        result=result,
        failure=failure if state is JobState.FAILED else None,
        metadata=row["metadata"] if isinstance(row["metadata"], dict) else {},
        data_removed=bool(row["data_removed"]),
    )


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
