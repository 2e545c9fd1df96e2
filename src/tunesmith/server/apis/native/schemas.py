"""Response schemas of Tunesmith's own API, errors included. Durations are in seconds, sizes in bytes, times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from tunesmith.audio.credits import licence_of, terms_of_sound
from tunesmith.audio.formats import FORMATS
from tunesmith.audio.markers import loop_points_json
from tunesmith.errors import INTERNAL_ERROR, InvalidRequest, TunesmithError
from tunesmith.jobs.estimates import QueueEstimate
from tunesmith.jobs.job import Job, JobResult, JobState, media_type_of_format
from tunesmith.licences import CommercialUse
from tunesmith.request import PATHS
from tunesmith.server.apis.errors import SERVER_FAULT, error_response, message_of, status_of
from tunesmith.server.apis.responses import warnings_of
from tunesmith.server.errors import JobFailed
from tunesmith.server.scores import has_score


class ResponseModel(BaseModel):
    """The base of all response schemas."""

    model_config = ConfigDict(frozen=True)


class LicenceFields(ResponseModel):
    """What a licence says of commercial use; null is unknown."""

    commercial_use: bool | None = Field(description="True only if it is allowed whatever the revenue.")
    licence_terms: CommercialUse
    revenue_limit_usd: int | None = Field(description="Commercial use is free below this yearly revenue.")
    attribution: str | None = Field(description="A line that must be shown to users.")


class ErrorDetail(ResponseModel):
    """An error: ``type`` for programs, ``message`` for people, ``field`` if one field is wrong."""

    type: str
    message: str
    field: str | None = None


class ErrorDocument(ResponseModel):
    """The format of every error."""

    error: ErrorDetail


class Timings(ResponseModel):
    """The duration of each stage of a job; null until it is over."""

    queued_seconds: float | None
    load_seconds: float | None
    generate_seconds: float | None
    total_seconds: float | None


class LoopDocument(ResponseModel):
    """A loop in a file: its first sample ``start``, last sample ``end`` and ``length``, also in seconds."""

    start: int
    end: int
    length: int
    kind: str = Field(description="forward, alternating or backward.")
    start_seconds: float
    end_seconds: float
    length_seconds: float


class ResultDocument(LicenceFields):
    """The output file of a job, and the terms of all that went into it."""

    url: str
    format: str
    media_type: str
    bytes: int
    sha256: str
    duration: float
    sample_rate: int
    channels: int
    loop_points: list[LoopDocument] | None = Field(description="Where the file loops; null where it does not.")
    licence: str


class Links(ResponseModel):
    """Links to related resources: paths on this server."""

    self: str
    events: str
    audio: str
    score: str | None = Field(description="What the composer writes for it, at once; null for other models.")


class JobDocument(ResponseModel):
    """A job. ``model`` was requested, ``generated_by`` generates; they differ if the composer is the fallback."""

    id: str
    state: JobState
    prompt: str
    model: str
    generated_by: str
    request: dict[str, Any] = Field(description="The request, without files.")
    dialect: str
    progress: float = Field(description="Progress, 0 to 1.")
    stage: str
    position: int | None = Field(description="Position in the queue of its model; 1 is next.")
    wait_seconds: float | None = Field(description="Estimated seconds until the job starts; null if unknown.")
    eta_seconds: float | None = Field(description="Estimated seconds until the job ends; null if unknown.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    timings: Timings
    result: ResultDocument | None
    metadata: dict[str, Any] = Field(description="Metadata of the music: seed, model, license and more.")
    warnings: list[str] = Field(description="What was not used or not understood; empty until the job has finished.")
    error: ErrorDetail | None
    links: Links


class JobEvent(ResponseModel):
    """The fields of a job that change while it is queued or running."""

    id: str
    state: JobState
    progress: float
    stage: str
    position: int | None
    wait_seconds: float | None
    eta_seconds: float | None


class JobsPage(ResponseModel):
    """A page of jobs, newest first; ``next`` is the path of the next page, null on the last."""

    jobs: list[JobDocument]
    next: str | None


class FieldDocument(ResponseModel):
    """A field of a request that a model takes: its type in JSON, and the bounds of a number."""

    name: str
    type: str = Field(description="number, integer, boolean or string.")
    minimum: float | None
    maximum: float | None


class ModelDocument(LicenceFields):
    """A model that is installed or can be pulled; unknown fields are null."""

    name: str
    kind: str
    installed: bool
    loaded: bool
    aliases: list[str]
    licence: str | None
    accept_licence: bool = Field(description="Whether a pull must accept the licence.")
    notice: str | None = Field(description="Whose the weights are, where the licence asks those who share them.")
    parameters: int | None
    about: str | None
    quantization: str | None
    bytes: int | None
    download_bytes: int | None
    source: str | None
    digest: str | None
    sample_rate: int | None
    channels: int | None
    follows_melodies: bool | None
    abilities: list[str] = Field(description="What it does with a recording: continue, melody, redress, repaint.")
    fields: list[FieldDocument] = Field(description="The fields of a request that set how it makes a sound.")
    plays_live: bool = Field(description="Whether it plays live streams, at WS /api/live.")


class ModelsDocument(ResponseModel):
    """All models."""

    models: list[ModelDocument]


class LoadedDocument(ResponseModel):
    """A process with a model in memory; ``expires_at`` is null while it works, and if it never expires."""

    name: str
    process_id: int
    memory_bytes: int
    requests_running: int
    loading_seconds: float | None
    expires_at: datetime | None
    expires_in_seconds: float | None


class LoadedModels(ResponseModel):
    """The models in memory."""

    models: list[LoadedDocument]


class AvailableModel(LicenceFields):
    """The model that a pull is about to install, announced before the download."""

    name: str
    source: str
    licence: str
    notice: str | None = None
    quantization: str
    download_bytes: int
    installed_bytes: int


class PullProgress(ResponseModel):
    """The progress of a pull, 0 to 1."""

    stage: str
    progress: float


class VersionDocument(ResponseModel):
    """The version of the server."""

    version: str


JOBS = "/api/jobs"
_PATHS_OF_OURS = set(PATHS)


def job_document(job: Job, estimate: QueueEstimate) -> JobDocument:
    """Return a job with its estimate as a document."""
    return JobDocument(
        **_progress(job, estimate),
        prompt=job.request.prompt,
        model=job.model,
        generated_by=job.generated_by,
        # Paths of this server are nothing for callers to see.
        request=job.request.model_dump(mode="json", exclude_unset=True, exclude=_PATHS_OF_OURS),
        dialect=job.dialect,
        created_at=to_iso8601(job.created_at),
        started_at=None if job.started_at is None else to_iso8601(job.started_at),
        finished_at=None if job.finished_at is None else to_iso8601(job.finished_at),
        timings=timings(job),
        result=_result(job),
        # The request is a field of its own already, without its paths.
        metadata={name: value for name, value in job.metadata.items() if name != "request"},
        warnings=list(warnings_of(job)),
        error=_error(job),
        links=_links(job),
    )


def job_event(job: Job, estimate: QueueEstimate) -> JobEvent:
    """Return the changing fields of a job as an event."""
    return JobEvent(**_progress(job, estimate))


def _progress(job: Job, estimate: QueueEstimate) -> dict[str, Any]:
    return {
        "id": job.id, "state": job.state, "progress": job.progress, "stage": job.stage, "position": estimate.position,
        "wait_seconds": estimate.wait_seconds, "eta_seconds": estimate.eta_seconds,
    }  # fmt: skip


def timings(job: Job) -> Timings:
    """Return the duration of each stage."""
    total = None if job.finished_at is None else max(0.0, job.finished_at - job.created_at)
    return Timings(
        queued_seconds=job.queued_seconds,
        load_seconds=job.load_seconds,
        generate_seconds=job.generate_seconds,
        total_seconds=total,
    )


def timing_headers(job: Job) -> dict[str, str]:
    """Return the duration of each stage as headers."""
    took = timings(job).model_dump(exclude_none=True)
    return {f"x-tunesmith-{name.replace('_', '-')}": f"{seconds:.3f}" for name, seconds in took.items()}


def path_of(job_id: str) -> str:
    """Return the path of a job on this server."""
    return f"{JOBS}/{job_id}"


def media_type_of(job: Job) -> str:
    """Return the media type of a job's file."""
    return job.result.media_type if job.result else media_type_of_format(job.options.format)


def to_iso8601(seconds: float) -> datetime:
    """Return a Unix timestamp in seconds as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def _links(job: Job) -> Links:
    here = path_of(job.id)
    score = f"{here}/score" if has_score(job.generated_by, job.request) else None
    return Links(self=here, events=f"{here}/events", audio=f"{here}/audio", score=score)


def _result(job: Job) -> ResultDocument | None:
    result = job.result
    if result is None or job.data_removed:
        return None
    return ResultDocument(
        url=f"{path_of(job.id)}/audio",
        format=result.format,
        media_type=media_type_of(job),
        bytes=result.bytes,
        sha256=result.digest,
        duration=result.duration,
        sample_rate=result.sample_rate,
        channels=result.channels,
        loop_points=_loop_points(job.metadata, result),
        licence=licence_of(job.metadata),
        **terms_of_sound(job.metadata).to_json(),
    )


def _loop_points(metadata: Mapping[str, Any], result: JobResult) -> list[LoopDocument] | None:
    """Return the loop points at the file's sample rate, which its format may have changed."""
    if not result.is_sound:
        return None
    rate = FORMATS[f".{result.format}"].sample_rate(result.sample_rate)
    return [LoopDocument(**one) for one in loop_points_json(metadata, rate) or ()] or None


def _error(job: Job) -> ErrorDetail | None:
    if job.failure is None:
        return None
    failed = JobFailed(job.failure)
    return ErrorDetail(type=failed.kind, message=message_of(failed), field=failed.field)


RESPONSES = {
    status: {"model": ErrorDocument, "description": meaning}
    for status, meaning in (
        (401, "The token is missing or invalid."),
        (403, "The token does not permit this."),
        (404, "The job or model does not exist."),
        (409, "The current state does not allow it, or the idempotency key belongs to another request."),
        (422, "A field of the request is invalid."),
        (429, "The caller's rate limit or quota is reached."),
        (500, "The server failed."),
        (503, "The queue is full."),
        (507, "The disk is full."),
    )
}
"""The error responses in the OpenAPI document."""


def responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return the error responses of a route, with those that every route may give."""
    return {status: RESPONSES[status] for status in sorted({401, 429, 500, *statuses})}


def errors(error: TunesmithError) -> JSONResponse:
    """Return an error as ``{"error": {"type", "message", "field"?}}``."""
    return error_response(error, ErrorDocument(error=detail_of(error)).model_dump(exclude_none=True))


def detail_of(error: TunesmithError) -> ErrorDetail:
    """Return an error as callers see it."""
    field = error.field if isinstance(error, InvalidRequest | JobFailed) else None
    return ErrorDetail(type=_type_of(error), message=message_of(error), field=field)


def _type_of(error: TunesmithError) -> str:
    if isinstance(error, JobFailed):
        return error.kind
    return INTERNAL_ERROR if status_of(error) == SERVER_FAULT else error.code
