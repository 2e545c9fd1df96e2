"""Scores of jobs and tracks, and outlines of tracks."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from tunesmith.audio.peaks import MAX_POINTS
from tunesmith.server.apis.native.schemas import JOBS, responses
from tunesmith.server.apis.native.score_schemas import PeaksDocument, ScoreDocument
from tunesmith.server.apis.native.track_files import sound_path
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.scores import peaks_of_file, score_of_job, score_of_track

TRACKS = "/api/tracks"
USUAL_POINTS = 1_000
Points = Annotated[int, Query(ge=1, le=MAX_POINTS, description="The most points of the outline.")]


def add_scores(routes: APIRouter, context: ApiContext) -> None:
    """Add the routes for scores and outlines."""
    caller_of, tracks = Depends(context.authenticate), context.tracks

    @routes.get(
        JOBS + "/{job_id}/score", response_model=ScoreDocument, responses=responses(404, 422),
        summary="The score of a composer's job, in any state",
    )  # fmt: skip
    async def of_job(job_id: str, caller: Caller = caller_of) -> Response:
        job = await context.service.get(job_id, caller.owner)
        return _answer(await asyncio.to_thread(score_of_job, job))

    @routes.get(
        TRACKS + "/{track_id}/score", response_model=ScoreDocument, responses=responses(404, 422),
        summary="The score of a composer's track",
    )  # fmt: skip
    async def of_track(track_id: str, caller: Caller = caller_of) -> Response:
        track = await asyncio.to_thread(tracks.get, track_id, caller.owner)
        return _answer(await asyncio.to_thread(score_of_track, track))

    @routes.get(
        TRACKS + "/{track_id}/peaks", response_model=PeaksDocument, responses=responses(404, 422),
        summary="The outline of a track's file, for drawing",
    )  # fmt: skip
    async def peaks(track_id: str, points: Points = USUAL_POINTS, caller: Caller = caller_of) -> Response:
        track = await asyncio.to_thread(tracks.get, track_id, caller.owner)
        outline = await asyncio.to_thread(peaks_of_file, sound_path(track, context.results), points)
        return _answer({
            "duration": track.generation.duration, "points": len(outline.peak), "peak": outline.peak.tolist(),
            "rms": outline.rms.tolist(),
        })  # fmt: skip


def _answer(document: dict[str, Any]) -> Response:
    # Not through the schema: a long score has tens of thousands of notes.
    return Response(json.dumps(document, separators=(",", ":")), media_type="application/json")
