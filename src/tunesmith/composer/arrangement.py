"""The arrangement of a score: its sections with their chords, and who plays in which of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tunesmith.composer.note_spelling import chord_name
from tunesmith.composer.score import ChordSpan, Part, Score, Section

BEAT_TOLERANCE = 1 / 8
"""How early in beats a note of the next bar may start: players anticipate."""


@dataclass(frozen=True, slots=True)
class ArrangedSection:
    """A section: ``name``, first ``bar`` from 1, number of ``bars``, ``start`` in seconds, ``energy`` 0–1.

    ``chords`` has one entry a bar: the chords that sound in it, in order.
    """

    name: str
    bar: int
    bars: int
    start: float
    energy: float
    chords: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ArrangedPart:
    """A part, and in how many bars of each section it plays a note: ``bars_played``, one number a section."""

    name: str
    role: str
    instrument: str
    bars_played: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The sections in order and the parts in the score's order."""

    sections: tuple[ArrangedSection, ...]
    parts: tuple[ArrangedPart, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def arrangement_of(score: Score) -> Arrangement:
    """Return the arrangement of a score."""
    beats = score.meter.beats_per_bar
    sections = tuple(
        ArrangedSection(
            section.name,
            section.bar + 1,
            section.bars,
            round(score.tempo_map.seconds_at(section.bar * beats), 3),
            round(section.energy, 3),
            tuple(_chords_in(score, bar) for bar in _bars_of(section)),
        )
        for section in score.sections
    )
    return Arrangement(sections, tuple(_arranged(part, score) for part in score.parts))


def clock_time(seconds: float) -> str:
    """Return a time in minutes, seconds and tenths: ``1:05.0``."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f}:{rest:04.1f}"


def shortened(bars: Sequence[Sequence[str]]) -> str:
    """Return the chords of some bars as text; a progression that repeats is written once: ``Am F | C G ×2``."""
    texts = [" ".join(bar) or "–" for bar in bars]
    for period in range(1, len(texts) // 2 + 1):
        if len(texts) % period == 0 and texts == texts[:period] * (len(texts) // period):
            return f"{' | '.join(texts[:period])} ×{len(texts) // period}"
    return " | ".join(texts)


def _bars_of(section: Section) -> range:
    return range(section.bar, section.bar + section.bars)


def _chords_in(score: Score, bar: int) -> tuple[str, ...]:
    start, end = bar * score.meter.beats_per_bar, (bar + 1) * score.meter.beats_per_bar
    sounding = [chord_name(span.chord, score.key) for span in score.chords if _overlaps(span, start, end)]
    return tuple(name for index, name in enumerate(sounding) if index == 0 or name != sounding[index - 1])


def _overlaps(span: ChordSpan, start: float, end: float) -> bool:
    return span.start < end and span.end > start


def _arranged(part: Part, score: Score) -> ArrangedPart:
    played = {int((note.start + BEAT_TOLERANCE) // score.meter.beats_per_bar) for note in part.notes}
    counts = tuple(sum(bar in played for bar in _bars_of(section)) for section in score.sections)
    return ArrangedPart(part.name, part.role, part.instrument, counts)
