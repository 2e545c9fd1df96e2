"""The timeline: how many bars at which tempo, so that the length is exact and every hit falls on a downbeat."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import load_genre
from tunesmith.composer.score import TempoMap
from tunesmith.errors import InvalidRequest
from tunesmith.request import Hit

DEFAULT_BARS = 16
# How many bars more or fewer than the nearest are tried.
REACH_BARS = 6
# How far hits may bend a tempo that the user gave.
GIVEN_TEMPO_BEND = 0.04
# How far hits may leave the genre's own tempo range.
RANGE_STRETCH = 1.25
# How long, in bars, the last chord may ring at a tempo that must not move.
RING_BARS = (0.4, 1.6)
# Quarter notes per minute.
SLOWEST, FASTEST = 10.0, 900.0


@dataclass(frozen=True, slots=True)
class HitBar:
    """The ``bar`` on whose first beat a hit falls."""

    bar: int
    climax: bool


@dataclass(frozen=True, slots=True)
class FormTimeline:
    """The time structure of a piece.

    ``bars`` is the number of bars of the form, the last of which has the final chord; ``duration`` is in seconds;
    ``hits`` are the bars of the hit points.
    """

    bars: int
    tempo_map: TempoMap
    duration: float
    hits: tuple[HitBar, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stretch:
    bars: int
    # Quarter notes per minute.
    tempo: float


def solve_timeline(brief: Brief) -> FormTimeline:
    """Choose bars and tempo; raise InvalidRequest where the hits or the bars cannot be met."""
    # A hit at the very start is met by the first downbeat anyway.
    hits = tuple(sorted((hit for hit in brief.hits if hit.time > 0.01), key=lambda hit: hit.time))
    opening = tuple(HitBar(0, hit.climax) for hit in brief.hits if hit.time <= 0.01)
    if hits:
        return _with_hits(brief, hits, opening)
    if brief.duration is None:
        bars = brief.bars or DEFAULT_BARS
        return _steady(bars, brief.quarters_per_minute, bars * _bar_seconds(brief), opening)
    if brief.bars is not None:
        return _bars_in_duration(brief, brief.bars, brief.duration, opening)
    if brief.loop:
        return _looped(brief, brief.duration, opening)
    if not brief.tempo_is_given:
        blues = load_genre(brief.genre).harmony.style == "blues"
        whole = _whole_bars(brief, brief.duration, _blues_penalty if blues else _track_penalty)
        if whole is not None:
            return _steady(whole, _tempo_of(brief, whole, brief.duration), brief.duration, opening)
    # A fixed tempo rarely gives whole bars, so the last chord rings for the rest.
    bars = _ringing_bars(brief.duration / _bar_seconds(brief))
    return _steady(bars, brief.quarters_per_minute, brief.duration, opening)


def _bar_seconds(brief: Brief, tempo: float | None = None) -> float:
    return brief.meter.beats_per_bar * 60 / (tempo or brief.quarters_per_minute)


def _tempo_of(brief: Brief, bars: int, seconds: float) -> float:
    return bars * brief.meter.beats_per_bar * 60 / seconds


def _range(brief: Brief) -> tuple[float, float]:
    low, high = brief.tempo_range
    return low * brief.meter.felt_beat, high * brief.meter.felt_beat


def _steady(bars: int, tempo: float, duration: float, hits: tuple[HitBar, ...], *warnings: str) -> FormTimeline:
    return FormTimeline(bars, TempoMap(((0.0, tempo),)), duration, hits, warnings)


def _bars_in_duration(brief: Brief, bars: int, duration: float, hits: tuple[HitBar, ...]) -> FormTimeline:
    tempo = _tempo_of(brief, bars, duration)
    if not SLOWEST <= tempo <= FASTEST:
        raise InvalidRequest("bars", f"{bars} bars in {duration:g} s would need {tempo:.0f} quarter notes a minute")
    return _steady(bars, tempo, duration, hits, *_bend_warning(brief, tempo, "the bars and the length"))


def _bend_warning(brief: Brief, tempo: float, reason: str) -> tuple[str, ...]:
    felt = tempo / brief.meter.felt_beat
    if brief.tempo_is_given and abs(felt / brief.tempo_bpm - 1) > 1e-4:
        return (f"tempo moved from {brief.tempo_bpm:g} to {felt:.2f} bpm to meet {reason}",)
    low, high = brief.tempo_range
    if not low * 0.999 <= felt <= high * 1.001:
        return (f"tempo is {felt:.1f} bpm, outside the genre's {low:g} to {high:g}, to meet {reason}",)
    return ()


def _looped(brief: Brief, duration: float, hits: tuple[HitBar, ...]) -> FormTimeline:
    bars = None if brief.tempo_is_given else _whole_bars(brief, duration, _loop_penalty)
    # A loop needs whole bars, so even a given tempo bends here, with a warning.
    bars = bars or max(1, round(duration / _bar_seconds(brief)))
    tempo = _tempo_of(brief, bars, duration)
    warnings = _bend_warning(brief, tempo, f"a loop of {duration:g} s in whole bars")
    return _steady(bars, tempo, duration, hits, *warnings)


def _loop_penalty(bars: int) -> float:
    return {0: 0.0, 2: 0.02}.get(bars % 4, 0.05)


def _track_penalty(bars: int) -> float:
    """Return the cost of a number of bars: four-bar phrases plus a final bar are best, then phrases that include it."""
    return {1: 0.0, 0: 0.01, 3: 0.015}.get(bars % 4, 0.03)


def _blues_penalty(bars: int) -> float:
    """Return the cost of a number of bars: best are choruses of twelve with a short intro and ending."""
    return 0.0 if bars % 12 in (1, 2, 3, 4, 5, 6, 8) else 0.08


def _whole_bars(brief: Brief, duration: float, penalty: Callable[[int], float]) -> int | None:
    """Return the number of whole bars that fills ``duration`` within the tempo range, or None."""
    low, high = _range(brief)
    nearest = round(duration / _bar_seconds(brief))
    best: tuple[float, int] | None = None
    for bars in range(max(1, nearest - REACH_BARS), nearest + REACH_BARS + 1):
        tempo = _tempo_of(brief, bars, duration)
        if low <= tempo <= high:
            # Tempo is perceived in ratios, so the distance is logarithmic.
            cost = abs(math.log(tempo / brief.quarters_per_minute)) + penalty(bars)
            best = min(best or (cost, bars), (cost, bars))
    return best[1] if best else None


def _ringing_bars(length: float) -> int:
    """Return the bars of a piece ``length`` bars long whose last chord rings for the rest."""
    low, high = RING_BARS
    leads = range(max(0, math.ceil(length - high)), max(0, math.floor(length - low)) + 1)
    if not leads:
        return 1
    return min(leads, key=lambda lead: (lead % 4 != 0, lead % 2, abs(length - lead - 1))) + 1


def _with_hits(brief: Brief, hits: Sequence[Hit], opening: tuple[HitBar, ...]) -> FormTimeline:
    gaps = [later - earlier for earlier, later in itertools.pairwise([0.0, *(hit.time for hit in hits)])]
    stretches = _stretches(brief, gaps, hits)
    bars = list(itertools.accumulate(stretch.bars for stretch in stretches))
    placed = (*opening, *(HitBar(bar, hit.climax) for bar, hit in zip(bars, hits, strict=True)))
    last = hits[-1].time
    duration = brief.duration if brief.duration is not None else _length_after(brief, bars[-1], last, stretches[-1])
    if duration <= last:
        raise InvalidRequest("hit", f"the hit at {last:g} s lies beyond the end at {duration:g} s")
    tail = _tail(brief, duration - last, stretches[-1].tempo)
    changes = _tempo_changes(brief, [*stretches, tail])
    felt = [tempo / brief.meter.felt_beat for _, tempo in changes]
    warnings = [warning for tempo in (min(felt), max(felt))
                for warning in _bend_warning(brief, tempo * brief.meter.felt_beat, "the hits")]  # fmt: skip
    return FormTimeline(bars[-1] + tail.bars, TempoMap(changes), duration, placed, tuple(dict.fromkeys(warnings)))


def _length_after(brief: Brief, bars: int, last: float, stretch: _Stretch) -> float:
    rest = max(1, (brief.bars or max(DEFAULT_BARS, bars + 4)) - bars)
    return last + rest * _bar_seconds(brief, stretch.tempo)


def _stretches(brief: Brief, gaps: Sequence[float], hits: Sequence[Hit]) -> list[_Stretch]:
    # The narrowest range first: the tempo moves no further than the hits require.
    for low, high in _allowed(brief):
        best = min(_candidates(brief, gaps, low, high), key=lambda found: found[0], default=None)
        if best is not None:
            return best[1]
    low, high = list(_allowed(brief))[-1]
    gap, hit = next(
        ((gap, hit) for gap, hit in zip(gaps, hits, strict=True) if not _fits(brief, gap, low, high)),
        (min(gaps), hits[0]),
    )
    felt = brief.meter.felt_beat
    raise InvalidRequest(
        "hit",
        f"{hit.time:g} s lies {gap:.2f} s after the moment before it, which no whole number of bars fills at "
        f"{low / felt:.0f} to {high / felt:.0f} bpm (a bar lasts {_bar_seconds(brief, high):.2f} to "
        f"{_bar_seconds(brief, low):.2f} s)",
    )


def _allowed(brief: Brief) -> Iterator[tuple[float, float]]:
    """Yield the tempo ranges to try, in quarter notes per minute, the narrowest first."""
    tempo = brief.quarters_per_minute
    if brief.tempo_is_given:
        yield tempo * (1 - GIVEN_TEMPO_BEND), tempo * (1 + GIVEN_TEMPO_BEND)
        return
    low, high = _range(brief)
    yield low, high
    yield low / RANGE_STRETCH, high * RANGE_STRETCH


def _fits(brief: Brief, gap: float, low: float, high: float) -> bool:
    longest, shortest = _bar_seconds(brief, low), _bar_seconds(brief, high)
    return math.floor(gap / shortest + 1e-9) >= max(1, math.ceil(gap / longest - 1e-9))


def _candidates(brief: Brief, gaps: Sequence[float], low: float, high: float) -> Iterator[tuple[float, list[_Stretch]]]:
    """Yield (cost, stretches) for a hundred steady tempos, to each of which the stretches bend."""
    for index in range(101):
        # Geometric steps: tempo is perceived in ratios.
        steady = low * (high / low) ** (index / 100)
        stretches = []
        for gap in gaps:
            bars = max(1, round(gap / _bar_seconds(brief, steady)))
            stretches.append(_Stretch(bars, _tempo_of(brief, bars, gap)))
        if all(low * (1 - 1e-9) <= stretch.tempo <= high * (1 + 1e-9) for stretch in stretches):
            bends = [abs(math.log(stretch.tempo / steady)) for stretch in stretches]
            steps = [abs(math.log(b.tempo / a.tempo)) for a, b in itertools.pairwise(stretches)]
            # Uneven tempos are the most audible, so the largest bend costs most, and distance from the brief least.
            yield 3 * max(bends) + sum(steps) + 0.3 * abs(math.log(steady / brief.quarters_per_minute)), stretches


def _tail(brief: Brief, seconds: float, tempo: float) -> _Stretch:
    """Return the stretch after the last hit: whole bars where the tempo may move, else a ringing chord."""
    bars = round(seconds / _bar_seconds(brief, tempo))
    if brief.loop:
        bars = max(1, bars)
        return _Stretch(bars, _tempo_of(brief, bars, seconds))
    if bars >= 1 and not brief.tempo_is_given:
        bent = _tempo_of(brief, bars, seconds)
        low, high = _range(brief)
        if low <= bent <= high:
            return _Stretch(bars, bent)
    return _Stretch(_ringing_bars(seconds / _bar_seconds(brief, tempo)), tempo)


def _tempo_changes(brief: Brief, stretches: Sequence[_Stretch]) -> tuple[tuple[float, float], ...]:
    changes: list[tuple[float, float]] = []
    beat = 0.0
    for stretch in stretches:
        if not changes or abs(changes[-1][1] - stretch.tempo) > 1e-9:
            changes.append((beat, stretch.tempo))
        beat += stretch.bars * brief.meter.beats_per_bar
    return tuple(changes)
