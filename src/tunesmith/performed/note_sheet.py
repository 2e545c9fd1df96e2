"""The sheet of a composition: which notes a model performs, in seconds, and what stays the composer's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tunesmith.composed.loop_wrap import wrap_seconds
from tunesmith.composed.stems import all_stems
from tunesmith.composer.composition import Composition
from tunesmith.composer.render import audible_parts
from tunesmith.composer.score import Part, Score
from tunesmith.errors import InvalidRequest
from tunesmith.generator import NoteSheet, TimedNote
from tunesmith.request import GenerationRequest

UNPITCHED_ROLES = ("drums", "percussion", "effects")
"""Roles whose notes are no pitches that a model could play; they stay the composer's, whatever the request keeps."""


@dataclass(frozen=True, slots=True)
class PerformancePlan:
    """What a model performs, and what is laid over it.

    ``notes`` are the written ones, in seconds; ``sheet`` has them as the model gets them: a loop with its wrap-around
    of ``wrap`` seconds on both sides. ``performed`` and ``kept`` are names of stems.
    """

    notes: tuple[TimedNote, ...]
    sheet: NoteSheet
    wrap: float
    performed: frozenset[str]
    kept: frozenset[str]


def plan_performance(composition: Composition, request: GenerationRequest) -> PerformancePlan:
    """Return the plan for a composition; raise InvalidRequest where no part is left to perform."""
    score = composition.score
    own = {*UNPITCHED_ROLES, *request.keep_stems}
    parts = [part for part in audible_parts(score, request.intensity) if part.role not in own]
    notes = tuple(sorted(_timed(score, parts), key=lambda note: (note.start, note.pitch, note.end)))
    if not notes:
        raise InvalidRequest("perform", f"needs notes with a pitch; {_what_is_left(score, request)}")
    wrap = wrap_seconds(score.duration) if score.loop else 0.0
    performed = frozenset(part.name for part in parts)
    has_drums = any(part.role == "drums" for part in score.parts)
    sheet = NoteSheet(
        _wrapped(notes, score.duration, wrap), score.duration + 2 * wrap,
        plays_drums=None if request.accompany and not has_drums else False,
        accompanies=request.accompany, lead_frames=request.lead_frames or 0,
    )  # fmt: skip
    return PerformancePlan(notes, sheet, wrap, performed, all_stems(score) - performed)


def _what_is_left(score: Score, request: GenerationRequest) -> str:
    roles = ", ".join(sorted({part.role for part in score.parts})) or "no part"
    kept = f", and keeps {', '.join(request.keep_stems)}" if request.keep_stems else ""
    return f"the composition has {roles}{kept}"


def _timed(score: Score, parts: list[Part]) -> Iterator[TimedNote]:
    seconds_at = score.tempo_map.seconds_at
    for part in parts:
        for note in part.notes:
            start = seconds_at(note.start)
            if start < score.duration:
                yield TimedNote(start, min(seconds_at(note.end), score.duration), note.pitch)


def _wrapped(notes: tuple[TimedNote, ...], duration: float, wrap: float) -> tuple[TimedNote, ...]:
    """Return the notes with the end of the loop before its start and its start after its end, from second 0 on."""
    if not wrap:
        return notes
    moved = (_moved(note, wrap + times * duration) for times in (-1, 0, 1) for note in notes)
    inside = (note for note in moved if note.end > 0 and note.start < duration + 2 * wrap)
    # A note that the wrap-around cuts begins with it.
    cut = (replace(note, start=max(0.0, note.start)) for note in inside)
    return tuple(sorted(cut, key=lambda note: (note.start, note.pitch, note.end)))


def _moved(note: TimedNote, seconds: float) -> TimedNote:
    return TimedNote(note.start + seconds, note.end + seconds, note.pitch)
