"""Scores and outlines of jobs and tracks: what a page can draw before, or without, the sound itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tunesmith
from tunesmith.audio.peaks import MAX_POINTS, Peaks, measure_peaks
from tunesmith.audio.reader import read_audio
from tunesmith.composed.composition_request import composition_request
from tunesmith.errors import InvalidRequest
from tunesmith.jobs.job import Job
from tunesmith.jobs.results import OUTLINE_SUFFIX
from tunesmith.library.tracks import Track
from tunesmith.models.factories import COMPOSER
from tunesmith.request import GenerationRequest
from tunesmith.server.errors import NoScore

if TYPE_CHECKING:
    from tunesmith.composer.score import Score


def has_score(generated_by: str, request: GenerationRequest | Mapping[str, Any]) -> bool:
    """Return whether the composer writes the notes of this request, for itself or for a model to follow."""
    if isinstance(request, GenerationRequest):
        return generated_by == COMPOSER or request.follows_composer
    return generated_by == COMPOSER or bool(request.get("guide") or request.get("perform"))


def score_of_job(job: Job) -> dict[str, Any]:
    """Return the score of a job in any state; takes some 20 ms a minute of music, so call it in a thread.

    The same request and seed give the same notes, so it is there before the job runs. Raises NoScore, and
    InvalidRequest for what cannot be composed, and for an uploaded score that is gone.
    """
    if not has_score(job.generated_by, job.request):
        raise NoScore(f"job {job.id}", job.generated_by)
    return {**_composed(job.request), "is_exact": True}


def score_of_track(track: Track) -> dict[str, Any]:
    """Return the score of a track, as ``score_of_job``.

    ``is_exact`` is false for a track of another version, which may have written other notes.
    """
    new = track.generation
    if not has_score(new.generated_by, new.request):
        raise NoScore(f"track {track.id}", new.generated_by)
    request = GenerationRequest.checked(**{**new.request, "seed": track.seed})
    return {**_composed(request), "is_exact": track.version == tunesmith.__version__}


def check_score(request: GenerationRequest) -> None:
    """Write the score of a request; raise InvalidRequest where it cannot be written, as with impossible edits."""
    _written(request)


def _composed(request: GenerationRequest) -> dict[str, Any]:
    from tunesmith.composer.score_json import score_json

    return score_json(_written(request))


def _written(request: GenerationRequest) -> Score:
    # The composer's tables load only on demand, and its sounds not at all.
    from tunesmith.composer.score_of_request import score_of

    if request.score is not None and not request.score.exists():
        # Its path on this server is nothing for callers to see.
        raise InvalidRequest("score", "is no longer kept on the server; submit it again")
    return score_of(composition_request(request) if request.follows_composer else request)


def peaks_of_file(path: Path, points: int) -> Peaks:
    """Return the outline of a kept file in at most ``points`` points, measured once and kept beside it."""
    outline = _kept_outline(path)
    return outline.pooled(min(points, len(outline.peak)))


def _kept_outline(path: Path) -> Peaks:
    kept = path.with_name(path.name + OUTLINE_SUFFIX)
    try:
        return Peaks.from_bytes(kept.read_bytes())
    except (FileNotFoundError, ValueError):
        # Missing, or cut short by a full disk: measured anew.
        outline = measure_peaks(read_audio(path), MAX_POINTS)
    # Written aside and renamed, so that another request never reads half of it.
    aside = kept.with_name(f"{kept.name}.{secrets.token_hex(4)}")
    aside.write_bytes(outline.to_bytes())
    aside.replace(kept)
    return outline
