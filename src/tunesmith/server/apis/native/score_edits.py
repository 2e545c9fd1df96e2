"""Edits of a track's score: other chords, or sections in another order, as a job; its track has this one as parent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_ITEMS, GivenFields
from tunesmith.library.tracks import Track
from tunesmith.request import IS_NUMBER, GenerationRequest
from tunesmith.score_edits import MAX_BAR, MAX_SECTIONS, MAX_TRANSPOSE, edit_text
from tunesmith.server.apis.extensions import IDEMPOTENCY_KEY
from tunesmith.server.apis.native.jobs import ToStream, encoded
from tunesmith.server.apis.native.schemas import ResponseModel, responses
from tunesmith.server.apis.native.variations import VariationJob, request_of, submission_of
from tunesmith.server.apis.request_body import documented, read_body
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.errors import NoScore
from tunesmith.server.scores import check_score, has_score

MAX_EDITS = MAX_ITEMS["score_edits"]
Bar = Annotated[int, Field(ge=1, le=MAX_BAR)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class ScoreEditsBody(GivenFields):
    """The request body for edits of a score; chords come first, so that their bars are those of the track.

    A section may have another number of bars: ``A=8``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chords: (
        Annotated[
            dict[Bar, Words],
            Field(max_length=MAX_EDITS, description='Chords by bar, from 1: {"5": "Fm7", "6": "C:2 G7:2"}.'),
        ]
        | None
    ) = None
    sections: (
        Annotated[
            list[Words],
            Field(max_length=MAX_SECTIONS, description='In the order in which they sound: ["intro", "A", "A=8"].'),
        ]
        | None
    ) = None
    transpose: (
        Annotated[
            int,
            Field(ge=-MAX_TRANSPOSE, le=MAX_TRANSPOSE, description="Semitones from where the piece was written."),
            IS_NUMBER,
        ]
        | None
    ) = None

    def edits(self) -> Iterator[str]:
        """Yield the edits as a request has them. Raises InvalidRequest, which names the field."""
        for bar, names in (self.chords or {}).items():
            yield _checked("chords", f"chord {bar}={names}")
        if self.sections is not None:
            yield _checked("sections", f"sections {' '.join(self.sections)}")
        if self.transpose is not None:
            yield f"transpose {self.transpose}"


class ScoreEditsDocument(ResponseModel):
    """The answer: the job of the edited piece, and all the edits of its score, those of its parents included."""

    parent: str
    job: VariationJob
    score_edits: list[str]


def add_score_edits(routes: APIRouter, context: ApiContext) -> None:
    """Add the route for edits of a track's score."""
    caller_of = Depends(context.authenticate)
    body = documented(ScoreEditsBody)

    @routes.post(
        "/{track_id}/score-edits", summary="Edit the score of a composer's track: a job with what follows written anew",
        status_code=202, openapi_extra={"parameters": [dict(IDEMPOTENCY_KEY)], **body},
        response_model=ScoreEditsDocument, responses=responses(404, 409, 422, 503),
    )  # fmt: skip
    async def edit_score(
        track_id: str, request: Request, stream: ToStream = False, caller: Caller = caller_of
    ) -> Response:
        edits = tuple((await read_body(request, ScoreEditsBody)).edits())
        track = await asyncio.to_thread(context.tracks.get, track_id, caller.owner)
        edited = await asyncio.to_thread(_edited, track, edits)
        key = request.headers.get("idempotency-key")
        job = await context.service.submit(submission_of(track, edited, caller.owner, key, stream=stream))
        shown = VariationJob.of(job)
        document = ScoreEditsDocument(parent=track.id, job=shown, score_edits=list(edited.score_edits))
        return encoded(document, 202, {"location": shown.url})


def _edited(track: Track, edits: tuple[str, ...]) -> GenerationRequest:
    """Return the request of a track with further edits of its score, which is written to see that it can be."""
    if not edits:
        raise InvalidRequest("chords", "must say what to edit; or give sections or transpose")
    if not has_score(track.generation.generated_by, track.generation.request):
        raise NoScore(f"track {track.id}", track.generation.generated_by)
    request = request_of(track)
    edited = request.changed(score_edits=(*request.score_edits, *edits))
    check_score(edited)
    return edited


def _checked(field: str, text: str) -> str:
    try:
        return edit_text(text)
    except ValueError as error:
        raise InvalidRequest(field, str(error)) from None
