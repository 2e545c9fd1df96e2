"""What a change must not move: what the old piece drew or inferred is fixed in the new request where it would move."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tunesmith.composer.changes.request_state import SAME_BPM, RequestState
from tunesmith.composer.theory import Key
from tunesmith.request import GenerationRequest

# A tempo may lie a little beyond a genre's range, as "very slow" may (prompt/defaults.py).
SLOWEST_SHARE, FASTEST_SHARE = 0.85, 1.12
# How far a mood must move, and beyond which valence it must come, to turn a key from minor to major or back.
_TURNING_STEP, _TURNING_VALENCE = 0.2, 0.2


def with_kept(
    before: RequestState, new: GenerationRequest, touched: Collection[str]
) -> tuple[RequestState, dict[str, str]]:
    """Return the state of the new request with all that nobody changed kept, and why the rest follows.

    ``touched`` are the fields that words or settings decide.
    """
    followed: dict[str, str] = {}
    after = RequestState.of(new)
    # In this order: the genre decides what the others would be.
    if "genre" not in touched and after.brief.genre != before.brief.genre:
        after = _with(after, {"genre": before.brief.genre})
    after = _with(after, _form(before, after, touched))
    if "meter" not in touched:
        after = _with(after, _meter(before, after, followed))
    if "key" not in touched:
        after = _with(after, _key(before, after, followed, mood="mood" in touched))
    if "loudness_lufs" not in touched and after.loudness_lufs != before.loudness_lufs:
        after = _with(after, {"loudness_lufs": before.loudness_lufs})
    if "tempo_bpm" not in touched:
        after = _with(after, _tempo(before, after, followed))
    if not {"duration", "bars"} & set(touched):
        followed["duration"] = "the same bars last so long"
    return after, followed


def _with(state: RequestState, values: dict[str, Any]) -> RequestState:
    return RequestState.of(state.request.changed(**values)) if values else state


def _form(before: RequestState, after: RequestState, touched: Collection[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if {"form", "loop"} & set(touched):
        return kept
    if after.brief.form != before.brief.form:
        kept["form"] = before.brief.form
    if {"duration", "bars"} & set(touched):
        return kept
    # A loop has as many bars as its tempo suggests; another tempo must not change their number.
    if before.brief.duration is None:
        return kept | ({"bars": before.brief.bars} if after.brief.bars != before.brief.bars else {})
    # A usual length that nobody gave follows the tempo, so that every note stays.
    is_open = before.brief.form == "track" and not before.was_given("duration", "bars") and not before.brief.hits
    if "tempo_bpm" in touched and "meter" not in touched and is_open:
        kept["bars"] = before.timeline.bars
    return kept


def _meter(before: RequestState, after: RequestState, followed: dict[str, str]) -> dict[str, Any]:
    meter, usual = str(before.brief.meter), after.genre.meters
    # A waltz is in three, whatever the old prompt says of its meter.
    if after.brief.genre != before.brief.genre and meter not in usual:
        meter = max(usual, key=lambda name: usual[name])
        followed["meter"] = f"{after.genre.title} has it"
    return {"meter": meter} if meter != str(after.brief.meter) else {}


def _key(before: RequestState, after: RequestState, followed: dict[str, str], *, mood: bool) -> dict[str, Any]:
    """Keep the key; where the mood moved far and nobody chose the mode, in major or minor as the mood is."""
    key, valence = before.brief.key, after.brief.mood.valence
    step = valence - before.brief.mood.valence
    if mood and not before.was_given("key"):
        if key.is_minor and step >= _TURNING_STEP and valence >= _TURNING_VALENCE:
            key, followed["key"] = Key(key.tonic, "major"), "the mood is bright"
        elif not key.is_minor and -step >= _TURNING_STEP and -valence >= _TURNING_VALENCE:
            key, followed["key"] = Key(key.tonic, "minor"), "the mood is dark"
    return {"key": str(key)} if key != after.brief.key else {}


def _tempo(before: RequestState, after: RequestState, followed: dict[str, str]) -> dict[str, Any]:
    """Keep the tempo, within what another genre is played at."""
    bpm, span = before.tempo_bpm, after.genre.tempo
    if after.brief.genre != before.brief.genre:
        bpm = float(round(min(max(bpm, span.low * SLOWEST_SHARE), span.high * FASTEST_SHARE)))
    if abs(bpm - before.tempo_bpm) > SAME_BPM:
        followed["tempo_bpm"] = f"{after.genre.title} is {span.low:g} to {span.high:g} bpm"
    return {"tempo_bpm": bpm} if abs(after.tempo_bpm - bpm) > SAME_BPM else {}
