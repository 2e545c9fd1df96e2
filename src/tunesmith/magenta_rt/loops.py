"""Loops: the end of a stream faded into its start, on the bar where the music has the wanted tempo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tunesmith.audio import Audio, edit
from tunesmith.audio.analysis.analyse import analyse
from tunesmith.audio.analysis.grid_check import tempo_at_level
from tunesmith.audio.analysis.loop_seam import Seam, seam_of

SHORTEST_OVERLAP_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class FadedLoop:
    """A loop, its seam, and the tempo in bpm on whose bars it ends, None where none was found."""

    audio: Audio
    seam: Seam
    tempo_bpm: float | None


def fade_into_loop(
    audio: Audio, seconds: float, tempo_bpm: float | None, bar_seconds: Callable[[float], float]
) -> FadedLoop:  # fmt: skip
    """Return a loop of about ``seconds`` of a sound that goes on after them.

    If its measured tempo is the wanted one to 1 %, the loop is whole bars of the measured tempo, and else exactly
    ``seconds`` long. ``bar_seconds`` returns the length of a bar at a tempo.
    """
    measured = tempo_at_level(analyse(audio), tempo_bpm) if tempo_bpm is not None else None
    length = seconds
    if measured is not None:
        bar = bar_seconds(measured)
        length = max(1, round(seconds / bar)) * bar
    # The crossfade takes all that was generated past the loop, but not more than the loop has.
    overlap = min(audio.duration - length, length)
    if overlap < SHORTEST_OVERLAP_SECONDS:
        length, overlap, measured = seconds, audio.duration - seconds, None
    cut = edit.trim(audio, 0, length + overlap)
    loop = edit.loop(cut, overlap)
    return FadedLoop(loop, seam_of(loop), measured)
