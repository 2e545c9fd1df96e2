"""Variations: seeds that give the same request other music, excluding those already used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count, islice
from typing import Any

from tunesmith.library.tracks import TrackFilter, Tracks


def used_seeds(tracks: Tracks, request: Mapping[str, Any]) -> set[int]:
    """Return the seeds already used with this request."""
    wanted = _without_seed(request)
    # The search narrows the candidates; the comparison below decides.
    found = tracks.every(TrackFilter(search=str(request.get("prompt", ""))))
    alike = (track for track in found if _without_seed(track.generation.request) == wanted)
    return {track.seed for track in alike if track.seed is not None}


def other_seeds(seed: int, number: int, used: Collection[int] = ()) -> list[int]:
    """Return the next ``number`` seeds after ``seed``, without those in ``used``."""
    return list(islice((other for other in count(seed + 1) if other not in used), number))


def _without_seed(request: Mapping[str, Any]) -> dict[str, Any]:
    # A field at its default counts as absent, whichever version stored it.
    return {name: value for name, value in request.items() if name != "seed" and value not in (None, [], False)}
