"""Looping: the stretch of any sound that repeats best, a whole number of bars, made seamless."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.audio import edit
from tunesmith.audio.analysis.hearing import Heard, hear
from tunesmith.audio.analysis.likeness import Likeness
from tunesmith.audio.analysis.rhythm import Rhythm
from tunesmith.audio.buffer import Audio
from tunesmith.audio.splice import Stretch, aligned, copy_stretch, crossfaded
from tunesmith.audio.spool import Spool
from tunesmith.errors import InvalidRequest

OVERLAP_SECONDS = 0.05
BARS = (32, 16, 8, 4, 2, 1)
GOOD_BARS = {32: 1.02, 16: 1.04, 8: 1.04, 4: 1.0, 2: 0.9, 1: 0.8}
SHORTEST_SECONDS = 0.5
SMALLEST_OVERLAP_SECONDS, LARGEST_OVERLAP_SECONDS = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class LoopPoints:
    """A loop from ``start`` to ``end`` seconds of so many bars (0: no beat was found), and how alike its ends are."""

    start: float
    end: float
    bars: int
    likeness: float


def best_loop(heard: Heard, bars: int | None = None) -> LoopPoints | None:
    """Return the loop whose end goes into its start most naturally; None where no beat is found or no bars fit."""
    rhythm = heard.rhythm
    if rhythm is None:
        return None
    likeness = heard.likeness()
    found = [points for size in ((bars,) if bars else BARS) for points in _of_length(size, rhythm, likeness)]
    return max(found, key=lambda points: points.likeness * GOOD_BARS.get(points.bars, 1.0), default=None)


def seamless(audio: Audio, bars: int | None = None) -> tuple[Audio, LoopPoints]:
    """Return a loop of a sound and where it was cut; without a beat all of it, its end faded into its start."""
    if bars is not None and bars < 1:
        raise InvalidRequest("bars", f"must be at least 1, got {bars}")
    if audio.duration < SHORTEST_SECONDS:
        problem = f"{audio.duration:g} s are too short for a loop, which needs {SHORTEST_SECONDS:g} s"
        raise InvalidRequest("file", problem)
    points = best_loop(hear(audio), bars)
    if points is None:
        if bars is not None:
            raise InvalidRequest("bars", f"no loop of {bars} bars is found in {audio.duration:.1f} s of sound")
        overlap = min(LARGEST_OVERLAP_SECONDS, max(SMALLEST_OVERLAP_SECONDS, audio.duration / 8))
        return edit.loop(audio, overlap), LoopPoints(0.0, audio.duration - overlap, 0, 0.0)
    return _cut(audio, points), points


def _of_length(bars: int, rhythm: Rhythm, likeness: Likeness) -> list[LoopPoints]:
    beats, size = rhythm.beats, bars * rhythm.beats_a_bar
    firsts = [beats.index(time) for time in rhythm.downbeats]
    return [
        LoopPoints(beats[first], beats[first + size], bars, likeness.jump(first + size, first))
        for first in firsts
        if first + size < len(beats)
    ]


def _cut(audio: Audio, points: LoopPoints) -> Audio:
    rate = audio.sample_rate
    size = round(OVERLAP_SECONDS * rate)
    start = round(points.start * rate)
    end = aligned(audio, start, round(points.end * rate))
    spool = Spool(audio.channels)
    copy_stretch(audio, spool, Stretch(start, end))
    if start >= size:  # the end becomes what came before the start
        spool.write(len(spool) - size, crossfaded(audio.between(end - size, end), audio.between(start - size, start)))
    else:  # the start becomes what comes after the end
        spool.write(0, crossfaded(audio.between(end, end + size), audio.between(start, start + size)))
    return Audio(spool, rate, audio.metadata)
