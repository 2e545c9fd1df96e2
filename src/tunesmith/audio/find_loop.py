"""Loop search: the whole number of bars of a sound that repeats best, made seamless."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.audio import edit
from tunesmith.audio.analysis.analyse import Analysis, analyse_with_metadata
from tunesmith.audio.analysis.beat_similarity import BeatSimilarity
from tunesmith.audio.analysis.rhythm import Rhythm
from tunesmith.audio.buffer import Audio
from tunesmith.audio.crossfade import Stretch, aligned, copy_stretch, crossfaded, similarity
from tunesmith.audio.markers import Loop, markers_of
from tunesmith.audio.spool import Samples, Spool
from tunesmith.audio.timeline import NEAR_SECONDS, timeline_of
from tunesmith.errors import InvalidRequest

OVERLAP_SECONDS, SHORTEST_OVERLAP_SECONDS = 0.05, 0.005
LIKE_ENOUGH = 0.45
# A share of the power.
AS_LOUD = 0.25
BARS = (32, 16, 8, 4, 2, 1)
# Among loops that are about as similar a phrase of 8 or 16 bars is preferred: one of a bar is soon heard as such.
GOOD_BARS = {32: 1.02, 16: 1.04, 8: 1.04, 4: 1.0, 2: 0.9, 1: 0.8}
SHORTEST_SECONDS = 0.5
SMALLEST_OVERLAP_SECONDS, LARGEST_OVERLAP_SECONDS = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class LoopPoints:
    """A loop from ``start`` to ``end`` in seconds, and the similarity of its ends, 0 to 1.

    ``bars`` is 0 if no beat was found; ``is_stated`` marks loop points that the file states.
    """

    start: float
    end: float
    bars: int
    similarity: float
    is_stated: bool = False


def best_loop(analysis: Analysis, bars: int | None = None) -> LoopPoints | None:
    """Return the loop with the least noticeable seam; None if no beat is found or no bars fit."""
    rhythm = analysis.rhythm
    if rhythm is None:
        return None
    alike = analysis.beat_similarity()
    found = [points for size in ((bars,) if bars else BARS) for points in _of_length(size, rhythm, alike)]
    return max(found, key=lambda points: points.similarity * GOOD_BARS.get(points.bars, 1.0), default=None)


def seamless(audio: Audio, bars: int | None = None) -> tuple[Audio, LoopPoints]:
    """Return a loop of a sound and its points; without a beat, the whole sound with its end faded into its start.

    Raises InvalidRequest for a sound under 0.5 s, and if no loop of ``bars`` is found.
    """
    if bars is not None and bars < 1:
        raise InvalidRequest("bars", f"must be at least 1, got {bars}")
    if audio.duration < SHORTEST_SECONDS:
        problem = f"{audio.duration:g} s are too short for a loop, which needs {SHORTEST_SECONDS:g} s"
        raise InvalidRequest("file", problem)
    # Stated loop points are exact, which a search is not; a number of bars overrides them.
    stated = markers_of(audio.metadata, audio.sample_rate).loops if bars is None else ()
    if stated:
        return _as_stated(audio, stated[0])
    points = best_loop(analyse_with_metadata(audio), bars)
    if points is None:
        if bars is not None:
            raise InvalidRequest("bars", f"no loop of {bars} bars found in {audio.duration:.1f} s of audio")
        overlap = min(LARGEST_OVERLAP_SECONDS, max(SMALLEST_OVERLAP_SECONDS, audio.duration / 8))
        return edit.loop(audio, overlap), LoopPoints(0.0, audio.duration - overlap, 0, 0.0)
    return _cut(audio, points), points


def _as_stated(audio: Audio, loop: Loop) -> tuple[Audio, LoopPoints]:
    """Return the loop that the file states, unchanged: its author has made it seamless."""
    spool = Spool(audio.channels)
    copy_stretch(audio, spool, Stretch(loop.start, loop.end))
    timeline = timeline_of(audio.metadata, audio.duration)
    start, end = loop.start / audio.sample_rate, loop.end / audio.sample_rate
    bars = (
        # A loop point may lie slightly beside its beat.
        sum(is_first and start - NEAR_SECONDS <= at < end - NEAR_SECONDS for at, is_first in timeline.beats())
        if timeline
        else 0
    )
    metadata = edit.loop_metadata(audio, [(loop.start, loop.end)])
    return audio.with_samples(spool, metadata=metadata), LoopPoints(start, end, bars, 1.0, is_stated=True)


def _of_length(bars: int, rhythm: Rhythm, alike: BeatSimilarity) -> list[LoopPoints]:
    beats, size = rhythm.beats, bars * rhythm.beats_a_bar
    firsts = [beats.index(time) for time in rhythm.downbeats]
    return [
        LoopPoints(beats[first], beats[first + size], bars, alike.jump(first + size, first))
        for first in firsts
        if first + size < len(beats)
    ]


def _cut(audio: Audio, points: LoopPoints) -> Audio:
    rate = audio.sample_rate
    start = round(points.start * rate)
    end = aligned(audio, start, round(points.end * rate))
    spool = Spool(audio.channels)
    copy_stretch(audio, spool, Stretch(start, end))
    _fade_seam(audio, spool, start, end)
    return audio.with_samples(spool, metadata=edit.loop_metadata(audio, [(start, end)]))


def _fade_seam(audio: Audio, spool: Spool, start: int, end: int) -> None:
    """Crossfade the start with what follows the end if these are similar, else the end with what precedes the start."""
    size, shortest = (round(seconds * audio.sample_rate) for seconds in (OVERLAP_SECONDS, SHORTEST_OVERLAP_SECONDS))
    after = audio.between(end, end + size), audio.between(start, start + size)
    before = audio.between(end - size, end), audio.between(start - size, start)
    if end + size <= audio.num_samples and similarity(*after) > max(LIKE_ENOUGH, similarity(*before)):
        spool.write(0, crossfaded(*after))
        return
    # Silence before the start, as before the first beat of a piece, would be heard as a gap.
    if _power(before[1]) < AS_LOUD * _power(before[0]):
        size = shortest
    spool.write(len(spool) - size, crossfaded(before[0][:, -size:], before[1][:, -size:]))


def _power(samples: Samples) -> float:
    return float(np.square(samples, dtype=np.float64).mean())
