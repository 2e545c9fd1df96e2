"""Retiming: updates the times in a sound's metadata after parts of it are cut, repeated or joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tunesmith.audio.buffer import Audio
from tunesmith.audio.markers import Markers, markers_of, with_markers
from tunesmith.audio.timeline import SETTINGS, timeline_of, with_timeline

Stretches = Sequence[tuple[int, int]]
"""Ranges of a sound, from sample to sample, in playing order."""


def retimed(audio: Audio, stretches: Stretches, faded: int = 0) -> dict[str, Any]:
    """Return the metadata of the joined stretches, with markers, beats, sections and duration updated.

    A joint has changed ``faded`` samples on both of its sides.
    """
    rate = audio.sample_rate
    metadata = with_markers(audio.metadata, markers_of(audio.metadata, rate).of_stretches(stretches, faded))
    timeline = timeline_of(metadata, audio.duration)
    seconds = [(first / rate, last / rate) for first, last in stretches]
    moved = None if timeline is None else timeline.of_stretches(seconds)
    length = sum(last - first for first, last in stretches)
    # A sound of another length no longer repeats as a whole.
    return no_loop(with_timeline(metadata, moved, length / rate)) if length != audio.num_samples else metadata


def looping(metadata: dict[str, Any], markers: Markers) -> dict[str, Any]:
    """Return the metadata of a sound that is now a loop."""
    return with_markers(_with_setting(metadata, is_loop=True), markers)


def no_loop(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a sound that is no longer one whole loop."""
    return _with_setting(metadata, is_loop=False)


def keep_loops_between(audio: Audio, first: int, last: int) -> Audio:
    """Return the sound with only the loops between two samples, after an edit outside that range."""
    markers = markers_of(audio.metadata, audio.sample_rate)
    kept = tuple(one for one in markers.loops if first <= one.start and one.end <= last)
    if len(kept) == len(markers.loops):
        return audio
    metadata = no_loop(with_markers(audio.metadata, replace(markers, loops=kept)))
    # with_metadata() only adds and replaces entries, but one may have to go.
    return audio.without_metadata().with_metadata(**metadata)


def _with_setting(metadata: dict[str, Any], *, is_loop: bool) -> dict[str, Any]:
    settings = metadata.get(SETTINGS)
    if not isinstance(settings, dict) or "loop" not in settings:
        return metadata
    return {**metadata, SETTINGS: {**settings, "loop": is_loop}}
