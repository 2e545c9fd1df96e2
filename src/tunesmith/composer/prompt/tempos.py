"""Tempos in a prompt: ``90 bpm``, ``80-90 bpm``, ``tempo: 120``, ``at 128``, ``♩ = 96``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunesmith.composer.prompt.beside_numbers import Label, NumberContext
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.numbers import Number
from tunesmith.composer.prompt.tempo_and_length import NumberRange
from tunesmith.composer.prompt.text import Prompt

_NOTE_QUARTERS = {"♩": 1.0, "♪": 0.5, "\U0001d157\U0001d165": 2.0, "\U0001d158\U0001d165": 1.0,
                  "\U0001d158\U0001d165\U0001d16e": 0.5, "\U0001d15d": 4.0}  # fmt: skip
_NOTE_SIGNS = "|".join(sorted(_NOTE_QUARTERS, key=len, reverse=True))
_NOTE_TEMPO = re.compile(
    rf"({_NOTE_SIGNS})(\s?\.|\U0001d16d)?\s*(?:=|:|≈|~|≒)?\s*~?\s*(?:ca?\.\s*|circa\s+)?"
    r"(\d{1,3}(?:[.,]\d+)?)(?:\s*[-–—~]\s*(\d{1,3}))?"
)
_LONGEST_NOTE = 6
_PLAUSIBLE = (30.0, 300.0)
_FAR_FROM_PLAUSIBLE = 10.0
_LOWEST_OF_RANGE = 20.0
_SHORT_TIME_UNITS = ("s", "m", "h")
_SECOND_UNITS = ("second", "minute", "hour", "bar")


def read_note_tempos(prompt: Prompt) -> tuple[NumberRange, ...]:
    """Return the tempos that a note value gives: ``♩ = 96``, ``♪=120``, ``quarter note = 96``."""
    return (*_by_sign(prompt), *_by_name(prompt))


def _by_sign(prompt: Prompt) -> Iterator[NumberRange]:
    # Read from the text: the note signs are no words.
    for found in _NOTE_TEMPO.finditer(prompt.text):
        low = float(found[3].replace(",", "."))
        quarters = _NOTE_QUARTERS[found[1]] * (1.5 if found[2] else 1.0)
        places = prompt.places(found.start(3), found.end())
        yield NumberRange(low, float(found[4] or low), places[0], places[-1] + 1, quarters)


def _by_name(prompt: Prompt) -> Iterator[NumberRange]:
    notes: dict[str, float] = index()["notes"]
    for last in range(1, len(prompt.words)):
        number = prompt.words[last]
        gap = prompt.text[prompt.words[last - 1].end : number.start].strip()
        if number.shape != "number" or gap != "=" or ":" in number.text:
            continue
        for first in range(max(0, last - _LONGEST_NOTE), last):
            quarters = notes.get(" ".join(word.text for word in prompt.words[first:last]))
            if quarters is not None:
                # Two separators make no tempo; 0 is out of range and is reported as such.
                tempo = (
                    float(number.text.replace(",", ".")) if number.text.count(".") + number.text.count(",") < 2 else 0
                )
                yield NumberRange(tempo, tempo, first, last + 1, quarters)
                break


def read_tempos(context: NumberContext) -> tuple[NumberRange, ...]:
    """Return every tempo in numbers."""
    found: list[NumberRange] = []
    used: set[int] = set()
    numbers = context.numbers
    # The units that belong to a number must be known first, so that none serves as the label of the next.
    for number in numbers:
        unit = context.tempo_unit_after(number)
        used.update(range(number.last, unit) if unit else ())
    for place, number in enumerate(numbers):
        # "80-90 bpm" is one range, not two tempos.
        low, start = context.range_start(place, _LOWEST_OF_RANGE)
        unit = context.tempo_unit_after(number)
        if unit:
            found.append(NumberRange(min(low, number.value), max(low, number.value), start, unit))
        elif not context.begins_range(place, _LOWEST_OF_RANGE) and _is_labelled(
            context, number, start, frozenset(used)
        ):
            found.append(NumberRange(min(low, number.value), max(low, number.value), start, number.last))
    return tuple(found)


def _is_labelled(context: NumberContext, number: Number, start: int, used: frozenset[int]) -> bool:
    label = context.label_before(start, used)
    if label is None or label.name not in ("tempo", "pace", "nearby", "word"):
        return False
    # A number in words after "at" or "around" is rarely a tempo: "at one".
    if context.words[number.first].shape != "number" and label.name != "tempo":
        return False
    low, high = _PLAUSIBLE
    # A marked "tempo: 12" is taken even where it is implausible, so that the range check can warn about it.
    is_sure = label.name == "tempo" and not label.has_comma
    if not low <= number.value <= high and not (is_sure and (label.is_marked or number.value >= _FAR_FROM_PLAUSIBLE)):
        return False
    return _may_follow(context, number, label)


def _may_follow(context: NumberContext, number: Number, label: Label) -> bool:
    """Return whether what follows a number lets it be the tempo that its label says."""
    last = number.last
    if context.is_measure(number) or context.has_slash(last) or context.unit_after(last, *_SECOND_UNITS):
        return False
    if context.ends_clause(last):
        return True
    follows = context.words[last]
    if follows.shape == "cjk":
        return True
    if follows.text in _SHORT_TIME_UNITS:
        return False
    gap = context.gap(last, last)
    if not gap or (gap == "-" and label.name != "tempo"):
        return False
    return label.name == "tempo" or _is_known(context, last, label)


def _is_known(context: NumberContext, place: int, label: Label) -> bool:
    """Return whether the word after a possible tempo is not a thing that the number counts."""
    if label.name == "nearby" and context.words[label.last - 1].text == "at":
        return True
    match = context.match_at(place)
    return match is not None and label.name != "word" and not (match.names("instrument") or match.names("family"))
