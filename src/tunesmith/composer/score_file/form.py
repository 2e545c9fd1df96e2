"""The sections of a document: those in which its bars are numbered, and the order in which they sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tunesmith.composer.score import ChordSpan, MeterChanges, Note, Section, TempoMap
from tunesmith.composer.score_file.document import SHOWN, ScorePosition
from tunesmith.composer.score_file.notation import Timed, by_bar
from tunesmith.composer.score_file.part_entry import RANGES
from tunesmith.composer.theory import Meter, on_grid
from tunesmith.suggestions import did_you_mean

MAX_BARS = 10_000
MAX_REPEATS = 100
USUAL_ENERGY = 0.6
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Form:
    """The sections of a document.

    Its bars count in the ``numbered`` sections; the piece has the ``played`` ones. ``origin`` is, for each bar of the
    piece, the bar of the document from which it comes; both count from 0.
    """

    numbered: tuple[Section, ...]
    played: tuple[Section, ...]
    origin: tuple[int, ...]

    @property
    def bars(self) -> int:
        """The number of bars in the document."""
        return bars_of(self.numbered)

    @property
    def is_as_numbered(self) -> bool:
        """Whether every bar sounds once, in the document's order."""
        return self.origin == tuple(range(self.bars))


def bars_of(sections: Sequence[Section]) -> int:
    """Return the number of bars in sections that follow one another."""
    return sections[-1].bar + sections[-1].bars if sections else 0


def read_form(place: ScorePosition, recorded: Sequence[Section] = ()) -> Form:
    """Return the form of a list of sections: mappings, or names of sections that are known.

    ``recorded`` are the sections for which the notes were written: where there are any, bars keep their numbers, and
    sections that are new count on from there. Raises InvalidScore.
    """
    builder = _Builder(list(recorded), len(recorded))
    for item in place.items():
        builder.add(item)
    if not builder.played:
        raise place.mistake("sections must hold at least one section")
    return Form(tuple(builder.numbered), tuple(builder.played), tuple(builder.origin))


class _Builder:
    def __init__(self, numbered: list[Section], recorded: int) -> None:
        self.numbered, self._recorded = numbered, recorded
        self.played: list[Section] = []
        self.origin: list[int] = []
        self._visits: dict[str, int] = {}

    def add(self, item: ScorePosition) -> None:
        """Add one entry of the list."""
        if item.is_single:
            name = item.text()
            source = self._known(name)
            if source is None:
                names = {section.name: None for section in self.numbered}
                known = did_you_mean(name, names) or f"; sections are {', '.join(names)}"
                raise item.mistake(f"there is no section {name[:SHOWN]!r}{known}")
            self._play(item, source, source)
            return
        fields = item.fields(("name", "bars", "energy", "gain_db", "repeat"), ("name",))
        name = fields["name"].text()
        # Without a record, every section that is written out has bars of its own.
        source = self._known(name) if self._recorded else None
        if source is None and "bars" not in fields:
            raise item.mistake("'bars' is missing")
        bars = fields["bars"].whole(1, MAX_BARS) if "bars" in fields else source.bars if source else 1
        energy = fields["energy"].number(0, 1) if "energy" in fields else source.energy if source else USUAL_ENERGY
        gain_db = source.gain_db if source else 0.0
        if "gain_db" in fields:
            gain_db = fields["gain_db"].number(*RANGES["gain_db"])
        if source is None:
            source = Section(name, bars_of(self.numbered), bars, energy, gain_db)
            self.numbered.append(source)
        for _ in range(fields["repeat"].whole(1, MAX_REPEATS) if "repeat" in fields else 1):
            self._play(item, source, replace(source, bars=bars, energy=energy, gain_db=gain_db))

    def _known(self, name: str) -> Section | None:
        """Return the section of a name: at each visit the next one of those that were recorded, at last the last."""
        found = [section for section in self.numbered if section.name == name]
        recorded = [section for section in self.numbered[: self._recorded] if section.name == name]
        visit = self._visits[name] = self._visits.get(name, -1) + 1
        return recorded[min(visit, len(recorded) - 1)] if recorded else (found[-1] if found else None)

    def _play(self, item: ScorePosition, source: Section, section: Section) -> None:
        bar = bars_of(self.played)
        if bar + section.bars > MAX_BARS:
            raise item.mistake(f"the sections must have at most {MAX_BARS} bars together")
        self.played.append(replace(section, bar=bar))
        # A section that is longer than the one it comes from starts that one again.
        self.origin += [source.bar + number % source.bars for number in range(section.bars)]


def carried(items: Sequence[Timed], form: Form, beats_per_bar: float) -> tuple[Timed, ...]:
    """Return notes or chords of the document where they sound in the piece.

    One that would last beyond bars that follow one another in both ends there.
    """
    if form.is_as_numbered:
        return tuple(items)
    inside = by_bar(items, beats_per_bar)
    moved: list[Timed] = []
    for bar, origin in enumerate(form.origin):
        end = _end_of_run(form.origin, bar) * beats_per_bar
        for item in inside.get(origin + 1, ()):
            start = on_grid(item.start + (bar - origin) * beats_per_bar)
            moved.append(_placed(item, start, min(item.length, on_grid(end - start))))
    return tuple(sorted(moved, key=lambda item: item.start))


def carried_tempo(tempo_map: TempoMap, form: Form, beats_per_bar: float) -> TempoMap:
    """Return the tempo of the document where it sounds in the piece."""
    return TempoMap(_carried_changes(tempo_map.changes, form, beats_per_bar))


def carried_meters(changes: MeterChanges, first: Meter, form: Form, beats_per_bar: float) -> MeterChanges:
    """Return the changes of the meter, ``first`` before them, where they are in the piece."""
    carried = _carried_changes(((0.0, first), *changes), form, beats_per_bar)
    # A piece that begins with another section still counts its bars in the first meter.
    return carried[1:] if carried[0][1] == first else carried


def _carried_changes(
    before: tuple[tuple[float, Value], ...], form: Form, beats_per_bar: float
) -> tuple[tuple[float, Value], ...]:
    if form.is_as_numbered or len(before) == 1:
        return before
    changes: list[tuple[float, Value]] = []
    for bar, origin in enumerate(form.origin):
        start, shift = origin * beats_per_bar, (bar - origin) * beats_per_bar
        inside = [change for change in before if start - 1e-9 <= change[0] < start + beats_per_bar - 1e-9]
        if not inside or inside[0][0] > start + 1e-9:
            held = [value for beat, value in before if beat < start + 1e-9]
            inside = [(start, held[-1]), *inside]
        for beat, value in inside:
            if not changes or changes[-1][1] != value:
                changes.append((on_grid(beat + shift), value))
    return tuple(changes)


def _placed(item: Timed, start: float, length: float) -> Timed:
    if isinstance(item, Note):
        return replace(item, start=start, length=length)
    assert isinstance(item, ChordSpan)
    return replace(item, start=start, length=length)


def _end_of_run(origin: Sequence[int], bar: int) -> int:
    """Return the bar after those that follow ``bar`` as they do in the document."""
    end = bar + 1
    while end < len(origin) and origin[end] == origin[end - 1] + 1:
        end += 1
    return end
