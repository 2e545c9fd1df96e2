"""Documents: what our own dialect answers with. Lengths and waits are in seconds, sizes in bytes, times in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tunesmith.jobs.job import JobState


class ResponseModel(BaseModel):
    """The root of them all."""

    model_config = ConfigDict(frozen=True)


class ErrorDetail(ResponseModel):
    """What went wrong: ``type`` for programs, ``message`` for people, ``field`` where one is to blame."""

    type: str
    message: str
    field: str | None = None


class ErrorDocument(ResponseModel):
    """The one shape of an error."""

    error: ErrorDetail


class Timings(ResponseModel):
    """How long each stage of a job took; null while it is not over."""

    queued_seconds: float | None
    load_seconds: float | None
    generate_seconds: float | None
    total_seconds: float | None


class LoopDocument(ResponseModel):
    """A loop in a file: its first sample ``start``, its last ``end``, its ``length``, and the same in seconds."""

    start: int
    end: int
    length: int
    kind: str = Field(description="forward, alternating or backward.")
    start_seconds: float
    end_seconds: float
    length_seconds: float


class ResultDocument(ResponseModel):
    """The file a job made."""

    url: str
    format: str
    media_type: str
    bytes: int
    sha256: str
    duration: float
    sample_rate: int
    channels: int
    loop_points: list[LoopDocument] | None = Field(description="Where the file loops; null where it does not.")


class Links(ResponseModel):
    """Where more is to be had; paths on this server."""

    self: str
    events: str
    audio: str


class JobDocument(ResponseModel):
    """A job. ``model`` was asked for, ``generated_by`` makes it; they differ where the composer stands in."""

    id: str
    state: JobState
    prompt: str
    model: str
    generated_by: str
    request: dict[str, Any] = Field(description="What was asked for, without files.")
    dialect: str
    progress: float = Field(description="A fraction of the whole, 0 to 1.")
    stage: str
    position: int | None = Field(description="The place in the queue of its model; 1 is next.")
    wait_seconds: float | None = Field(description="Until its turn, as measured so far; null where nobody can know.")
    eta_seconds: float | None = Field(description="Until its end, as measured so far; null where nobody can know.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    timings: Timings
    result: ResultDocument | None
    metadata: dict[str, Any] = Field(description="What is known of the music: seed, model, license and more.")
    error: ErrorDetail | None
    links: Links


class JobEvent(ResponseModel):
    """What changes while a job is on its way."""

    id: str
    state: JobState
    progress: float
    stage: str
    position: int | None
    wait_seconds: float | None
    eta_seconds: float | None


class JobsPage(ResponseModel):
    """Jobs, newest first; ``next`` is the path of the page after them, null on the last."""

    jobs: list[JobDocument]
    next: str | None


class ReasonDocument(ResponseModel):
    """Why a ``field`` of the brief is what it is: ``source`` is flag, prompt, meaning, genre or chance."""

    field: str
    value: str
    source: str
    because: str


class ExplanationDocument(ResponseModel):
    """What the composer reads from a prompt."""

    prompt: str
    reasons: list[ReasonDocument]
    warnings: list[str]


class ModelDocument(ResponseModel):
    """A model that is here or can be pulled. What is not known is null."""

    name: str
    kind: str
    installed: bool
    loaded: bool
    aliases: list[str]
    licence: str | None
    commercial_use: bool | None
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


class ModelsDocument(ResponseModel):
    """All models."""

    models: list[ModelDocument]


class LoadedDocument(ResponseModel):
    """A process with a model in memory. ``expires_at`` is null while it works and where it always stays."""

    name: str
    process_id: int
    memory_bytes: int
    requests_running: int
    loading_seconds: float | None
    expires_at: datetime | None
    expires_in_seconds: float | None


class LoadedModels(ResponseModel):
    """What is in memory now."""

    models: list[LoadedDocument]


class AvailableModel(ResponseModel):
    """What a pull is about to install, told before anything large is downloaded."""

    name: str
    source: str
    licence: str
    commercial_use: bool | None
    quantization: str
    download_bytes: int
    installed_bytes: int


class PullProgress(ResponseModel):
    """How far a pull is, 0 to 1."""

    stage: str
    progress: float


class VersionDocument(ResponseModel):
    """The version of the server."""

    version: str
