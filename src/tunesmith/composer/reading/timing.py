"""Tempo, duration and bars as a prompt says them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.reading.lexicon import Match
from tunesmith.composer.reading.numbers import number_at
from tunesmith.composer.reading.text import Prompt

_UNIT_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_SHORT_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_ONE = frozenset({"a", "an"})
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2}):([0-5]\d)(?![\d:])(?!\s*[ap]\.?m)")
_RANGE_SIGNS = re.compile(r"^\s*(?:-|–|—|~|〜|to|bis|a|à|から|到|至|et|and|und|y|e)\s*$", re.IGNORECASE)
_PLAUSIBLE_TEMPO = (30.0, 300.0)


@dataclass(frozen=True, slots=True)
class Said:
    """A number or a range that words ``first`` to ``last`` (exclusive) of the prompt give."""

    low: float
    high: float
    first: int
    last: int


class Timing:
    """Reads numbers with units; ``taken`` are words that already mean something else."""

    def __init__(self, prompt: Prompt, matches: Sequence[Match], taken: frozenset[int]) -> None:
        self._prompt = prompt
        self._words = prompt.words
        self._at = {match.first: match for match in matches}
        self._taken = taken

    def _unit(self, place: int, *names: str) -> tuple[str, int] | None:
        match = self._at.get(place)
        if match is None:
            return None
        return next(((name, match.last) for name in names if match.is_word(name)), None)

    def _numbers(self) -> list[tuple[float, int, int]]:
        found, place = [], 0
        while place < len(self._words):
            number = None if place in self._taken else number_at(self._words, place)
            if number is None:
                place += 1
                continue
            found.append((number[0], place, number[1]))
            place = number[1]
        return found

    def tempos(self) -> tuple[Said, ...]:
        """Return every tempo said: ``90 bpm``, ``80-90 bpm``, ``tempo 120``, ``at 128``."""
        found: list[Said] = []
        numbers = self._numbers()
        for index, (number, first, last) in enumerate(numbers):
            unit = self._unit(last, "bpm")
            low, start = self._range_start(numbers, index)
            if unit:
                found.append(Said(min(low, number), max(low, number), start, unit[1]))
            elif self._after_tempo_word(start) and self._stands_alone(number, first, last):
                found.append(Said(min(low, number), max(low, number), start, last))
        return tuple(found)

    def _range_start(self, numbers: Sequence[tuple[float, int, int]], index: int) -> tuple[float, int]:
        number, first, _ = numbers[index]
        if index:
            low, start, last = numbers[index - 1]
            between = self._prompt.text[self._words[last - 1].end : self._words[first].start]
            if last <= first and _RANGE_SIGNS.match(between) and low >= 20:
                return low, start
        return number, first

    def _after_tempo_word(self, first: int) -> bool:
        return any(
            match.last in (first, first - 1) and (match.is_word("tempo") or match.is_word("bpm"))
            for match in self._at.values()
        )

    def _stands_alone(self, number: float, first: int, last: int) -> bool:
        low, high = _PLAUSIBLE_TEMPO
        if not low <= number <= high or self._words[first].shape == "cjk":
            return False
        after = self._words[last] if last < len(self._words) else None
        if after is not None and after.text == "/":
            return False
        return after is None or (after.start > self._words[last - 1].end and self._unit(
            last, *_UNIT_SECONDS, "bar") is None)  # fmt: skip

    def durations(self) -> tuple[Said, ...]:
        """Return every duration said, in seconds: ``30 seconds``, ``2 min 30``, ``1:30``, ``half a minute``."""
        found: list[Said] = []
        for number, first, last in self._numbers():
            span = self._with_unit(number, last)
            if span is None:
                continue
            seconds, end = span
            if found and found[-1].last in (first, first - 1) and seconds < 60 <= found[-1].low:
                total = found[-1].low + seconds
                found[-1] = Said(total, total, found[-1].first, end)
            else:
                found.append(Said(seconds, seconds, first, end))
        return (*found, *self._clocks(), *self._bare_halves(found), *self._single())

    def _with_unit(self, number: float, last: int) -> tuple[float, int] | None:
        half = self._unit(last, "half")
        if half and (unit := self._unit(half[1], *_UNIT_SECONDS)):
            return (number + 0.5) * _UNIT_SECONDS[unit[0]], unit[1]
        if unit := self._unit(last, *_UNIT_SECONDS):
            seconds, end = number * _UNIT_SECONDS[unit[0]], unit[1]
            half_after = self._unit(end, "half")
            return (seconds + _UNIT_SECONDS[unit[0]] / 2, half_after[1]) if half_after else (seconds, end)
        if last < len(self._words) and self._words[last].text in _SHORT_UNITS:
            word = self._words[last]
            if word.start <= self._words[last - 1].end + (word.text == "s"):
                return number * _SHORT_UNITS[word.text], last + 1
        return None

    def _bare_halves(self, found: Sequence[Said]) -> tuple[Said, ...]:
        covered = {place for said in found for place in range(said.first, said.last)}
        halves = []
        for match in self._at.values():
            if match.is_word("half") and match.first not in covered and (u := self._unit(match.last, *_UNIT_SECONDS)):
                seconds = _UNIT_SECONDS[u[0]] / 2
                halves.append(Said(seconds, seconds, match.first, u[1]))
        return tuple(halves)

    def _single(self) -> tuple[Said, ...]:
        """Read ``a minute`` and ``a minute and a half``."""
        found = []
        for place, word in enumerate(self._words[:-1]):
            if word.text in _ONE and self._unit(place + 1, "minute", "hour") and place + 1 in self._at:
                span = self._with_unit(1.0, place + 1)
                if span is not None and not self._is_half(place):
                    found.append(Said(span[0], span[0], place, span[1]))
        return tuple(found)

    def _is_half(self, place: int) -> bool:
        return any(match.is_word("half") and match.first <= place < match.last for match in self._at.values())

    def _clocks(self) -> tuple[Said, ...]:
        found = []
        for clock in _CLOCK.finditer(self._prompt.folded):
            seconds = int(clock[1]) * 60.0 + int(clock[2])
            place = next((i for i, word in enumerate(self._words) if word.end > clock.start()), 0)
            found.append(Said(seconds, seconds, place, place + 1))
        return tuple(found)

    def bars(self) -> tuple[Said, ...]:
        """Return every number of bars said."""
        found = []
        for number, first, last in self._numbers():
            if (unit := self._unit(last, "bar")) and number == int(number):
                found.append(Said(number, number, first, unit[1]))
        return tuple(found)
