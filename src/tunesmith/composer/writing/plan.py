"""The plan that all part writers share: everything decided before the first note."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Echo, Genre
from tunesmith.composer.score import ChordSpan, Note, Section, TempoMap
from tunesmith.composer.theory import Key, Meter
from tunesmith.composer.writing.spans import span_at, spans_from

UNPITCHED = frozenset({"drums", "percussion", "effects"})
"""Roles whose notes are no pitches."""
HARMONIC = frozenset({"chords", "pad", "arpeggio"})
"""Roles that play the harmony in chords, together or broken."""


@dataclass(frozen=True, slots=True)
class Player:
    """A player of the piece, from which a part is written.

    ``style`` is the drawn style, groove name or rhythm; ``register`` the pitch around which the part lies; ``entry``
    the energy from which it plays. ``name`` is unique in the piece (``melody``, ``chords``, ``chords_2``).
    """

    name: str
    role: str
    instrument: str
    style: str
    register: int
    entry: float
    voicing: str = "close"
    rhythm: str = ""
    gain_db: float = 0.0
    pan: float = 0.0
    echo: Echo | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """The names of the ``players`` who play in ``bars`` bars from ``bar`` on."""

    bar: int
    bars: int
    players: frozenset[str]


@dataclass(frozen=True, slots=True)
class Break:
    """A break: the named ``players`` rest from beat ``start`` to ``end`` while the others go on."""

    start: float
    end: float
    players: frozenset[str]


@dataclass(frozen=True, slots=True)
class OwnTune:
    """What the lead is written for in the mood that the piece has by itself: its ``key``, ``chords`` and ``player``.

    ``answered`` says whether a second voice answers it.
    """

    key: Key
    chords: tuple[ChordSpan, ...]
    player: Player
    answered: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided before the parts are written; bars count from 0, beats are quarter notes.

    ``casts`` cover all bars in order; without them each player plays where the energy reaches its entry. ``written``
    has the notes of the parts that are already written, by player name, so that later writers can lock to them.
    ``own_tune`` is there where another mood was asked for, which keeps the tune.
    """

    brief: Brief
    genre: Genre
    key: Key
    meter: Meter
    tempo_map: TempoMap
    sections: tuple[Section, ...]
    chords: tuple[ChordSpan, ...]
    players: tuple[Player, ...]
    casts: tuple[Cast, ...] = ()
    breaks: tuple[Break, ...] = ()
    written: Mapping[str, tuple[Note, ...]] = field(default_factory=dict)
    own_tune: OwnTune | None = None

    @property
    def beats_per_bar(self) -> float:
        """The length of a bar in quarter notes."""
        return self.meter.beats_per_bar

    @property
    def bars(self) -> int:
        """The number of bars of the form."""
        return self.sections[-1].bar + self.sections[-1].bars if self.sections else 0

    @property
    def end(self) -> float:
        """The beat at which the last bar ends."""
        return self.bars * self.beats_per_bar

    @property
    def usual_quarters_per_minute(self) -> float:
        """The genre's typical tempo, by which everything is measured that another tempo must not change."""
        return self.genre.tempo.typical * self.meter.felt_beat

    def section_draws(self, player: Player, purpose: str) -> Callable[[float], np.random.Generator]:
        """Return a function from a beat to the generator of its section for one player's performance.

        One for each section, so that a section is played the same way wherever it stands.
        """
        drawn: dict[int, np.random.Generator] = {}
        # A piece has many more notes than bars.
        by_bar: dict[int, np.random.Generator] = {}

        def draws(beat: float) -> np.random.Generator:
            bar = self.bar_of(beat)
            if bar not in by_bar:
                section = self._section_of(bar)
                if section.bar not in drawn:
                    place = self.place_of(section.bar)
                    drawn[section.bar] = self.brief.rng("performance", purpose, player.name, place)
                by_bar[bar] = drawn[section.bar]
            return by_bar[bar]

        return draws

    def first_player(self, *roles: str) -> Player | None:
        """Return the first player of the band with one of the roles, or None."""
        return next((player for player in self.players if player.role in roles), None)

    def span_of(self, section: Section) -> tuple[float, float]:
        """Return where a section starts and ends, in beats."""
        return section.bar * self.beats_per_bar, (section.bar + section.bars) * self.beats_per_bar

    def bar_of(self, beat: float) -> int:
        """Return the bar in which ``beat`` lies."""
        # The small offset keeps a beat that rounding put just before a bar line in its bar.
        return int(beat / self.beats_per_bar + 1e-6)

    def section_at(self, beat: float) -> Section:
        """Return the section at ``beat``; the last one after the end."""
        return self._section_of(self.bar_of(beat))

    def _section_of(self, bar: int) -> Section:
        index = bisect.bisect_right(self.sections, bar, key=lambda section: section.bar) - 1
        return self.sections[max(0, index)]

    def visit_of(self, section: Section) -> int:
        """Return how many sections of the same name come before one."""
        return sum(other.name == section.name and other.bar < section.bar for other in self.sections)

    def place_of(self, bar: int) -> str:
        """Return the place of a bar as a key for draws: section, visit and bar in it, whatever comes before."""
        section = self._section_of(bar)
        return f"{section.name} {self.visit_of(section)} {bar - section.bar}"

    def chord_at(self, beat: float) -> ChordSpan:
        """Return the chord at ``beat``; the last one after the end."""
        return span_at(self.chords, beat)

    def spans_between(self, start: float, end: float) -> Iterator[ChordSpan]:
        """Return the chords that begin in ``[start, end)``."""
        return spans_from(self.chords, start, end)

    def is_playing(self, player: Player, bar: int) -> bool:
        """Return whether the player plays in ``bar``."""
        if not self.casts:
            return self._section_of(bar).energy >= player.entry - 1e-9
        index = bisect.bisect_right(self.casts, bar, key=lambda cast: cast.bar) - 1
        return player.name in self.casts[max(0, index)].players

    def active_sections(self, player: Player) -> Iterator[Section]:
        """Yield the sections in which the player plays, if only in some of their bars."""
        for section in self.sections:
            if any(self.is_playing(player, bar) for bar in range(section.bar, section.bar + section.bars)):
                yield section

    def other_harmony(self, player: Player) -> list[Note]:
        """Return the chords of the other players that are written already."""
        return [
            note
            for other in self.players
            if other.role in HARMONIC and other.name != player.name
            for note in self.written.get(other.name, ())
        ]

    def kicks(self) -> tuple[float, ...]:
        """Return the beats of the kick drum in the written drum parts, in order; empty without drums."""
        return tuple(
            note.start
            for player in self.players
            if player.role == "drums"
            for note in self.written.get(player.name, ())
            if note.pitch == 36
        )


class Writer(Protocol):
    """A writer of one player's notes: on the beat, with plain velocities, before the performance, sorted by start."""

    def __call__(self, plan: Plan, player: Player) -> tuple[Note, ...]:
        """Return the notes, all within the plan's bars and the instrument's range."""
        ...
