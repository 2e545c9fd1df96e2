"""Variations of a track: the same request with other seeds, or changed by words and fields, as jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import AfterValidator, ConfigDict, Field

from tunesmith.audio.edits import edits_of
from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS, GivenFields, check_paragraphs, checked
from tunesmith.jobs.job import DEFAULT_FORMAT, Job, JobOptions, Submission
from tunesmith.library.tracks import Track
from tunesmith.models.factories import COMPOSER
from tunesmith.request import EDITS_LEFT_OUT, IS_NUMBER, PATHS, GenerationRequest
from tunesmith.server.apis.extensions import IDEMPOTENCY_KEY, music_fields
from tunesmith.server.apis.native.jobs import ToStream, encoded
from tunesmith.server.apis.native.schemas import ResponseModel, responses
from tunesmith.server.apis.request_body import documented, read_object
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.source_tracks import check_repeatable, with_lock_seeds

if TYPE_CHECKING:
    from tunesmith.composer.changes import EditedRequest

DIALECT = "api"
MAX_VARIATIONS, USUAL_VARIATIONS = 100, 5
CHANGEABLE = tuple(name for name in GenerationRequest.model_fields if name not in (*PATHS, "prompt", "model"))
"""Fields of a request that a variation may set."""


class VariationsBody(GivenFields):
    """The request body for variations: their number, what to change in words, and whether only to explain it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: (
        Annotated[
            int,
            Field(ge=1, le=MAX_VARIATIONS, description="Default: 5; with a change 1, which keeps the seed."),
            IS_NUMBER,
        ]
        | None
    ) = None
    prompt: (
        Annotated[
            str,
            Field(min_length=1, max_length=MAX_CHARACTERS["prompt"], description="What to change, in words."),
            AfterValidator(check_paragraphs),
        ]
        | None
    ) = None
    explain: Annotated[bool, Field(description="Only say what would be understood; no job is submitted.")] = False


class ChangeDocument(ResponseModel):
    """A change: the field, its value before and after, why, and where from: words, setting or follows."""

    field: str
    before: str
    after: str
    because: str
    source: str


class UnderstoodDocument(ResponseModel):
    """What is understood of a change: the changes, words that nothing explains, and what cannot be done."""

    changes: list[ChangeDocument]
    not_understood: list[str]
    notes: list[str]


class VariationJob(ResponseModel):
    """The job of a variation."""

    id: str
    seed: int | None
    url: str

    @classmethod
    def of(cls, job: Job) -> VariationJob:
        """Return what callers see of a job."""
        return cls(id=job.id, seed=job.request.seed, url=f"/api/jobs/{job.id}")


class VariationsDocument(ResponseModel):
    """The answer to a request for variations; ``change`` is null where only the seeds differ."""

    parent: str
    jobs: list[VariationJob]
    change: UnderstoodDocument | None = None


def add_variations(routes: APIRouter, context: ApiContext) -> None:
    """Add the route for variations of a track."""
    caller_of, tracks = Depends(context.authenticate), context.tracks
    body = documented(VariationsBody, **music_fields(CHANGEABLE))

    @routes.post(
        "/{track_id}/variations", summary="Make variations of a track: jobs with other seeds, or with a change",
        status_code=202, openapi_extra={"parameters": [dict(IDEMPOTENCY_KEY)], **body},
        response_model=VariationsDocument,
        responses={**responses(404, 409, 422, 503), 200: {"model": VariationsDocument, "description": "Explained."}},
    )  # fmt: skip
    async def vary(track_id: str, request: Request, stream: ToStream = False, caller: Caller = caller_of) -> Response:
        given = await read_object(request)
        wanted, fields = _parted(given)
        track = await asyncio.to_thread(tracks.get, track_id, caller.owner)
        change = await asyncio.to_thread(_change, track, wanted.prompt, fields)
        is_changed = bool(wanted.prompt or fields)
        requests = _requests(change.request, wanted.n, is_changed=is_changed)
        change = replace(change, notes=(*change.notes, *_left_out(change.request, requests)))
        understood = UnderstoodDocument(**change.as_json()) if is_changed or change.notes else None
        if wanted.explain:
            return encoded(VariationsDocument(parent=track.id, jobs=[], change=understood))
        key = request.headers.get("idempotency-key")
        # Each variation is a job, and needs a key of its own.
        keys = [key and f"{key}-{number}" for number in range(1, len(requests) + 1)]
        submissions = [
            submission_of(track, one, caller.owner, own_key, stream=stream)
            for one, own_key in zip(requests, keys, strict=True)
        ]
        jobs = [await context.service.submit(submission) for submission in submissions]
        shown = [VariationJob.of(job) for job in jobs]
        return encoded(VariationsDocument(parent=track.id, jobs=shown, change=understood), 202)


def _parted(given: Mapping[str, Any]) -> tuple[VariationsBody, dict[str, Any]]:
    """Return the variation's own fields of a body, and those of the request for music. Raises InvalidRequest."""
    own = {name: value for name, value in given.items() if name in VariationsBody.model_fields}
    fields = {name: value for name, value in given.items() if name not in own and value is not None}
    for name in PATHS:
        if name in fields:
            # A path would let a caller read any file of the server.
            raise InvalidRequest(name, "cannot be chosen for a variation")
    wanted = checked(VariationsBody, own, aliases={})
    if wanted.prompt is not None and not wanted.prompt.strip():
        raise InvalidRequest("prompt", "must contain words")
    return wanted, fields


def request_of(track: Track) -> GenerationRequest:
    """Return the request that makes a track again. Raises InvalidRequest for an arrangement of a MIDI file."""
    check_repeatable(track.generation.metadata)
    stored = dict(track.generation.request)
    if track.generation.generated_by == COMPOSER:
        # A stand-in for another model made it, and makes it again.
        stored["model"] = COMPOSER
    return GenerationRequest.checked(**{**stored, "seed": track.seed or 0})


def _change(track: Track, words: str | None, fields: Mapping[str, Any]) -> EditedRequest:
    """Return what words and fields change of a track. Raises InvalidRequest, which names the field."""
    # The whole composer, which a server does not load to start.
    from tunesmith.composer.changes import edit_request

    request = request_of(track)
    try:
        return edit_request(request, words or "", with_lock_seeds(fields, request)).check_anything(words or "")
    except InvalidRequest as error:
        if error.field != "words":
            raise
        # The words are the prompt here.
        raise InvalidRequest("prompt", error.problem) from None


def _requests(request: GenerationRequest, number: int | None, *, is_changed: bool) -> list[GenerationRequest]:
    """Return the requests of the variations: the changed one with its own seed, or others with the seeds after it."""
    if number is None and is_changed:
        return [request]
    first = (request.seed or 0) + 1
    return [request.of_seed(first + one) for one in range(number or USUAL_VARIATIONS)]


def _left_out(request: GenerationRequest, variations: Sequence[GenerationRequest]) -> tuple[str, ...]:
    """Return a note where variations leave out the edits of the score."""
    return (EDITS_LEFT_OUT,) if request.score_edits and not variations[0].score_edits else ()


def submission_of(
    track: Track, request: GenerationRequest, owner: str | None, key: str | None, *, stream: bool
) -> Submission:
    """Return the job that makes a variation of a track, in the format of its file."""
    form = track.generation.file.format if track.generation.file else DEFAULT_FORMAT
    # An edit is of a piece that its request names a model for.
    model = request.model if edits_of(track.generation.metadata) else track.generation.generated_by
    return Submission(
        request, DIALECT, owner, model=model, idempotency_key=key,
        options=JobOptions(form, parent=track.id, stream=stream),
    )  # fmt: skip
