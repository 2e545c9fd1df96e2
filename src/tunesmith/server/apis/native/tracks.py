"""``/api/tracks``: the prompt log of the server: search, mark, download and vary tracks."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import ConfigDict, Field

from tunesmith.composed.composition_request import composition_request
from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS, MAX_ITEMS, GivenFields, Tag
from tunesmith.generator import EXPORTS
from tunesmith.jobs.job import DEFAULT_FORMAT, JobOptions, Submission, media_type_of_format
from tunesmith.jobs.results import ResultFiles
from tunesmith.layer_intensities import USUAL_INTENSITIES, read_intensities
from tunesmith.library.track_tree import tree_of
from tunesmith.library.tracks import MAX_RATING, PAGE, Marks, Track, TrackFilter
from tunesmith.models.factories import COMPOSER
from tunesmith.performed.recall_text import recall_json
from tunesmith.request import IS_NUMBER, PATHS, GenerationRequest
from tunesmith.server.apis.native.schemas import media_type_of
from tunesmith.server.apis.native.score_edits import add_score_edits
from tunesmith.server.apis.native.track_files import check_format, converted, path_of_file
from tunesmith.server.apis.native.variations import add_variations
from tunesmith.server.apis.request_body import documented, read_body
from tunesmith.server.apis.responses import headers_of, run_and_wait
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.scores import has_score

DIALECT = "api"
MAX_PAGE = 500
MASTERED = "stems"
"""The export whose stems sum to the finished mix."""
LAYERS = "layers"
MAX_INTENSITIES = 200
"""In characters."""


class MarksBody(GivenFields):
    """The request body for marks; fields that are left out keep their values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starred: bool | None = None
    rating: Annotated[int, Field(ge=0, le=MAX_RATING), IS_NUMBER] | None = None
    tags: Annotated[list[Tag], Field(max_length=MAX_ITEMS["tags"])] | None = None


def router(context: ApiContext) -> APIRouter:
    """Return the routes of the prompt log."""
    routes = APIRouter(prefix="/api/tracks", tags=["Tracks"])
    caller_of = Depends(context.authenticate)
    tracks, results = context.tracks, context.results

    @routes.get("", summary="The newest tracks, or those that match a search")
    async def page(
        search: Annotated[str, Query(max_length=MAX_CHARACTERS["search"])] = "",
        model: Annotated[str | None, Query(max_length=MAX_CHARACTERS["model"])] = None,
        starred: bool = False,
        tag: Annotated[str | None, Query(max_length=MAX_CHARACTERS["tags"])] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = PAGE,
        # A larger number does not fit into a column of the database.
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        loop: bool = False,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
        count: bool = False,
        caller: Caller = caller_of,
    ) -> JSONResponse:
        which = TrackFilter(search, model, starred, caller.owner, None, tag, loop)
        found = await asyncio.to_thread(tracks.page, which, limit, before, offset)
        total = {"total": await asyncio.to_thread(tracks.count, which)} if count else {}
        shown = [track_json(track, results) for track in found.tracks]
        return JSONResponse({"tracks": shown, "next_before": found.next_before, **total})

    @routes.get("/{track_id}", summary="One track")
    async def get(track_id: str, caller: Caller = caller_of) -> JSONResponse:
        return JSONResponse(track_json(await asyncio.to_thread(tracks.get, track_id, caller.owner), results))

    @routes.get("/{track_id}/tree", summary="The tree of a track's variations, and what each one changes")
    async def tree(track_id: str, caller: Caller = caller_of) -> JSONResponse:
        return JSONResponse((await asyncio.to_thread(tree_of, tracks, track_id, caller.owner)).as_json())

    @routes.patch("/{track_id}", summary="Star, rate or tag a track", openapi_extra=documented(MarksBody))
    async def mark(track_id: str, request: Request, caller: Caller = caller_of) -> JSONResponse:
        body = await read_body(request, MarksBody)
        marks = Marks(body.starred, body.rating, None if body.tags is None else tuple(body.tags))
        return JSONResponse(track_json(await asyncio.to_thread(tracks.mark, track_id, marks, caller.owner), results))

    @routes.delete("/{track_id}", summary="Remove a track from the prompt log", status_code=204)
    async def remove(track_id: str, caller: Caller = caller_of) -> Response:
        await asyncio.to_thread(tracks.remove, track_id, caller.owner)
        return Response(status_code=204)

    add_variations(routes, context)
    add_score_edits(routes, context)
    _add_files(routes, context)
    return routes


def _add_files(routes: APIRouter, context: ApiContext) -> None:
    caller_of = Depends(context.authenticate)

    @routes.get("/{track_id}/audio", summary="A track's file, also in another format, or at another intensity")
    async def audio(
        track_id: str,
        request: Request,
        form: Annotated[str | None, Query(alias="format", max_length=8)] = None,
        intensity: Annotated[float | None, Query(ge=0, le=1)] = None,
        caller: Caller = caller_of,
    ) -> FileResponse:
        track = await asyncio.to_thread(context.tracks.get, track_id, caller.owner)
        own = track.generation.file.format if track.generation.file else None
        kind = own or DEFAULT_FORMAT if form is None else check_format(form)
        if intensity is not None:
            return await _exported(context, track, _export(track, kind, caller.owner, intensity), request)
        path = path_of_file(track, context.results)
        if kind != own:
            return await converted(path, track.id, kind, context.edits, caller.owner)
        return FileResponse(path, media_type=media_type_of_format(kind), filename=f"{track.id}.{kind}")

    _add_exports(routes, context)


def _add_exports(routes: APIRouter, context: ApiContext) -> None:
    caller_of = Depends(context.authenticate)

    async def export(
        track_id: str, kind: str, request: Request, caller: Caller, layers: tuple[float, ...] = ()
    ) -> FileResponse:
        track = await asyncio.to_thread(context.tracks.get, track_id, caller.owner)
        return await _exported(context, track, _export(track, kind, caller.owner, layers=layers), request)

    @routes.get("/{track_id}/midi", summary="The notes of a composer track, as MIDI")
    async def midi(track_id: str, request: Request, caller: Caller = caller_of) -> FileResponse:
        return await export(track_id, "mid", request, caller)

    @routes.get("/{track_id}/score.yaml", summary="The score of a composer track, as a document to edit and render")
    async def score_file(track_id: str, request: Request, caller: Caller = caller_of) -> FileResponse:
        return await export(track_id, "yaml", request, caller)

    @routes.get("/{track_id}/stems", summary="The stems of a composer track: WAV files in a ZIP")
    async def stems(
        track_id: str, request: Request, mastered: bool = False, caller: Caller = caller_of
    ) -> FileResponse:
        return await export(track_id, MASTERED if mastered else "zip", request, caller)

    @routes.get("/{track_id}/layers", summary="Intensity layers of a composer track: WAV files and a manifest in a ZIP")
    async def layers(
        track_id: str,
        request: Request,
        intensities: Annotated[str, Query(max_length=MAX_INTENSITIES)] = "",
        caller: Caller = caller_of,
    ) -> FileResponse:
        wanted = read_intensities(intensities) if intensities else USUAL_INTENSITIES
        return await export(track_id, LAYERS, request, caller, wanted)


async def _exported(context: ApiContext, track: Track, submission: Submission, request: Request) -> FileResponse:
    """Return the file that an export of a track makes."""
    job = await run_and_wait(context.service, submission, request)
    kind = submission.options.format
    name = "zip" if kind in (MASTERED, LAYERS) else kind
    return FileResponse(
        context.service.result_path(job), media_type=media_type_of(job), filename=f"{track.id}.{name}",
        headers=headers_of(job),
    )  # fmt: skip


def track_json(track: Track, results: ResultFiles) -> dict[str, Any]:
    """Return a track as JSON, without paths of this server."""
    values = {name: value for name, value in track.as_json().items() if name not in ("path", "request", "metadata")}
    digest = track.generation.file.digest if track.generation.file else None
    # Retention removes files but not their tracks, so a file may be gone.
    kept = digest is not None and results.find(digest) is not None
    # Paths of recordings, scores and soundfonts on the server.
    request = {name: value for name, value in track.generation.request.items() if name not in PATHS}
    composed = has_score(track.generation.generated_by, request)
    here = f"/api/tracks/{track.id}"
    is_sound = track.generation.file is not None and track.generation.file.format not in EXPORTS
    # Only the composer has notes to export.
    notes = dict.fromkeys(("midi", "stems", "layers", "score"), composed)
    links = {"audio": kept, **notes, "peaks": kept and is_sound}
    settings = track.generation.metadata.get("settings") or {}
    return {
        **values,
        "request": request,
        "title": track.generation.metadata.get("title"),
        "figure": track.generation.metadata.get("figure"),
        **{name: settings.get(name) for name in ("key", "tempo_bpm")},
        "warnings": list(track.generation.metadata.get("warnings") or ()),
        "recall": recall_json(track.generation.metadata),
        **{name: f"{here}/{name}" if is_there else None for name, is_there in links.items()},
    }


def _export(
    track: Track, kind: str, owner: str | None, intensity: float | None = None, layers: tuple[float, ...] = ()
) -> Submission:
    # The same request and seed give the same notes, so nothing but the request needs to be stored.
    fields = {**track.generation.request, "seed": track.seed}
    if intensity is not None and track.generation.generated_by != COMPOSER:
        raise InvalidRequest("intensity", f"only the composer has it, not {track.generation.generated_by}")
    request = GenerationRequest.checked(**(fields if intensity is None else {**fields, "intensity": intensity}))
    options = JobOptions(kind, for_track=track.id, layers=layers)
    if request.follows_composer:
        # The notes and stems are the composition's; the model is not needed for them.
        return Submission(composition_request(request), DIALECT, owner, model=COMPOSER, options=options)
    return Submission(request, DIALECT, owner, model=track.generation.generated_by, options=options)
