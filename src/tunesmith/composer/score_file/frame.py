"""What the notes of a score are written for: its key, meter, tempo, sections and chords."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tunesmith.composer.score import ChordSpan, MeterChanges, Section, TempoMap
from tunesmith.composer.score_file.document import SHOWN, ScorePosition
from tunesmith.composer.score_file.notation import Timed, read_chord
from tunesmith.composer.theory import Key, Meter, on_grid

# Notes of a part, or chords: with aliases, a small file could otherwise fill the memory.
MAX_ENTRIES = 200_000
TEMPO_LIMITS = (10, 999)


@dataclass(frozen=True, slots=True)
class ScoreFrame:
    """What notes are written for; ``seed`` is that of the draws, ``duration`` the length in seconds."""

    key: Key
    meter: Meter
    tempo_map: TempoMap
    sections: tuple[Section, ...]
    chords: tuple[ChordSpan, ...]
    duration: float
    seed: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The bars of a document: their number, and the length of each in beats."""

    bars: int
    beats_per_bar: float

    def check(self, bar: str, place: ScorePosition) -> int:
        """Return the number of a bar; raise InvalidScore if the document has no such bar."""
        if not bar.isdecimal() or len(bar) > SHOWN or not 1 <= int(bar) <= self.bars:
            raise place.mistake(f"bar must be 1 to {self.bars} (the sum of the sections' bars), got {bar[:SHOWN]!r}")
        return int(bar)


def read_tempo_map(place: ScorePosition, grid: Grid) -> TempoMap:
    """Return the tempo map of a number, or of a mapping from bars to numbers; raise InvalidScore."""
    if place.is_single:
        return TempoMap(((0.0, place.number(*TEMPO_LIMITS)),))
    changes = tuple((at, bpm.number(*TEMPO_LIMITS)) for at, bpm in _changes(place, grid, "tempo"))
    try:
        return TempoMap(changes)
    except ValueError as error:
        raise place.mistake(f"tempo: {error}") from None


def read_meters(place: ScorePosition, grid: Grid) -> MeterChanges:
    """Return the changes of a mapping from bars to meters; raise InvalidScore."""
    changes = tuple((at, meter.read(Meter.parse)) for at, meter in _changes(place, grid, "meters"))
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(changes)):
        raise place.mistake("meters: must be in ascending order")
    return changes


def _changes(place: ScorePosition, grid: Grid, name: str) -> Iterator[tuple[float, ScorePosition]]:
    """Yield the beat and the value of each entry of a mapping from places to values."""
    for where, value in place.pairs():
        match = re.match(r"^(\d+)(?: beat (\d{1,3}(?:\.\d+)?))?$", where)
        if match is None:
            raise value.mistake(f"{name}: {where[:SHOWN]!r} must be a bar such as '5' or '5 beat 3'")
        beat = float(match[2] or 1)
        if not 1 <= beat < grid.beats_per_bar + 1:
            raise value.mistake(f"{name}: beat must be 1 to less than {grid.beats_per_bar + 1:g}, got {beat:g}")
        yield on_grid((grid.check(match[1], value) - 1) * grid.beats_per_bar + beat - 1), value


def read_chords(place: ScorePosition, grid: Grid) -> tuple[ChordSpan, ...]:
    """Return the chords of a mapping from bars to lists of chords; raise InvalidScore."""
    spans = read_timed(place, grid, lambda text, bar: read_chord(text, bar, grid.beats_per_bar))
    return tuple(sorted(spans, key=lambda span: span.start))


def read_timed(place: ScorePosition, grid: Grid, read: Callable[[str, int], Timed]) -> Iterator[Timed]:
    """Yield every entry of every bar as read by ``read``; raise InvalidScore."""
    count = 0
    for bar_text, line in place.pairs():
        bar = grid.check(bar_text, line)
        for text in line.text().split(","):
            count += 1
            if count > MAX_ENTRIES:
                raise line.mistake(f"{place.name} must be at most {MAX_ENTRIES}")
            # A trailing comma is no mistake.
            if not text.strip():
                continue
            try:
                yield read(text, bar)
            except ValueError as error:
                raise line.mistake(str(error), beat=_where(bar, text)) from None


def _where(bar: int, text: str) -> str:
    return f"{(text.split() or ['?'])[0][:SHOWN]} of bar {bar}"
