"""Alternatives: what else an answer could be, the most fitting first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import get_args

from tunesmith.composer.brief import Brief
from tunesmith.composer.explanation.answers import Choice, Value
from tunesmith.composer.explanation.labels import bars_label, key_label, label_of, tempo_label, time_label
from tunesmith.composer.genre import Genre, genre_names
from tunesmith.composer.instruments import instruments
from tunesmith.composer.prompt.defaults import COMFORTABLE_TONICS, LOOP_BARS, TONICS_OF_FAMILY
from tunesmith.composer.prompt.genre_words import leanings
from tunesmith.composer.prompt.lexicon import value as value_of
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.composer.theory import MINOR_LIKE, Key
from tunesmith.request import Form

MOST = 12
"""The most alternatives of an answer: a menu, not a catalogue."""
_MOOD_WEIGHT = 0.45
_METERS = ("4/4", "3/4", "6/8", "5/4", "7/8")
_FORMS: tuple[str, ...] = get_args(Form)
_SECONDS = (15.0, 30.0, 60.0, 90.0, 120.0, 180.0)
_FAMILIAR_MODES = ("major", "minor", "dorian")


@dataclass(frozen=True, slots=True)
class AlternativeFinder:
    """Finds the alternatives for the answers of one brief."""

    brief: Brief
    parsed: ParsedPrompt
    genre: Genre

    def of(self, field: str, value: Value) -> tuple[Choice, ...]:
        """Return at most ``MOST`` other values of a field; none where only the words of the prompt decide it."""
        find = _FINDERS.get(field)
        if find is None:
            return ()
        return tuple(islice((choice for choice in find(self, value) if choice.value != value), MOST))

    def _genres(self, _: Value) -> Iterator[Choice]:
        hints = leanings(self.parsed.matches, self.parsed.refused)
        # Not by the meaning of unknown words: the encoder takes seconds to load, and the mood has it already.
        fitness = {name: hints.get(name, 0.0) - _MOOD_WEIGHT * self._mood_distance(name) for name in genre_names()}
        yield from (Choice(name, label_of("genre", name)) for name in sorted(fitness, key=lambda one: -fitness[one]))

    def _mood_distance(self, genre: str) -> float:
        valence, arousal = map(float, value_of("genre", genre)["at"])
        return abs(self.brief.mood.valence - valence) + abs(self.brief.mood.arousal - arousal)

    def _tempos(self, _: Value) -> Iterator[Choice]:
        span = self.genre.tempo
        between = (span.low, (span.low + span.typical) / 2, span.typical, (span.typical + span.high) / 2, span.high)
        yield from (Choice(float(bpm), tempo_label(bpm)) for bpm in dict.fromkeys(map(round, between)))

    def _keys(self, _: Value) -> Iterator[Choice]:
        tonics = TONICS_OF_FAMILY.get(self.genre.family, COMFORTABLE_TONICS)
        # The same tonic in another mode first: it is the change that is heard most.
        keys = [Key(self.brief.key.tonic, mode) for mode in (*self.genre.modes, *_FAMILIAR_MODES)]
        own = self.brief.key.mode
        keys += [Key(tonic, own) for tonic in tonics["minor" if own in MINOR_LIKE else "major"]]
        yield from (Choice(name, key_label(name)) for name in dict.fromkeys(map(str, keys)))

    def _meters(self, _: Value) -> Iterator[Choice]:
        yield from (Choice(name, name) for name in dict.fromkeys((*self.genre.meters, *_METERS)))

    def _instruments(self, player: Value) -> Iterator[Choice]:
        table, taken = instruments(), self.brief.instruments
        family = table[str(player)].family
        own = [name for part in self.genre.parts for name in part.instruments if table[name].family == family]
        others = [name for name, row in table.items() if row.family == family]
        names = dict.fromkeys((*own, *others))
        yield from (Choice(name, label_of("instruments", name)) for name in names if name not in taken)

    def _forms(self, _: Value) -> Iterator[Choice]:
        yield from (Choice(name, label_of("form", name)) for name in _FORMS)

    def _durations(self, _: Value) -> Iterator[Choice]:
        yield from (Choice(seconds, time_label(seconds)) for seconds in _SECONDS)

    def _bars(self, _: Value) -> Iterator[Choice]:
        yield from (Choice(bars, bars_label(bars)) for bars in LOOP_BARS)


_FINDERS: Mapping[str, Callable[[AlternativeFinder, Value], Iterator[Choice]]] = {
    "genre": AlternativeFinder._genres, "tempo": AlternativeFinder._tempos, "key": AlternativeFinder._keys,
    "meter": AlternativeFinder._meters, "instruments": AlternativeFinder._instruments,
    "form": AlternativeFinder._forms, "duration": AlternativeFinder._durations, "bars": AlternativeFinder._bars,
}  # fmt: skip
