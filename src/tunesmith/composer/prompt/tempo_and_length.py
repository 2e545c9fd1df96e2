"""Durations and bars in a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.composer.prompt.beside_numbers import NumberContext
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.numbers import Number

_UNIT_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_SHORT_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
# "20 h" is a time of day.
_MOST_HOURS = 3
_LABEL_SECONDS = {"duration": 1.0, "seconds": 1.0, "minutes": 60.0}
_ONE = frozenset({"a", "an"})
_AND_A_HALF = frozenset({"and", "y", "e", "et", "einhalb", "半"})
_CLOCK = re.compile(r"(?<![\d:t])(?:(0?[0-2]):)?(\d{1,2}):([0-5]\d)(?![\d:])(?!\s*[ap]\.?m)")
_PRIMES = re.compile(r"(?<![\d:])(?:(\d{1,2})\s?['’′]\s?)(\d{1,2})\s?(?:\"|”|''|’’|′′)|(?<!\d)(\d{1,4})\s?′′")
_DOT_GROUPS = frozenset({"sekunden", "sekunde", "sek", "segundos", "seg", "secondes", "takte", "takten", "compases",
                         "compassos", "mesures"})  # fmt: skip
_LONGEST_SECONDS = 1_800.0
_GERMAN_COMPOUND = re.compile(r"(\w+)(taktig|sekundig|minutig)(?:e[rsnm]?)?")
_COMPOUND_UNITS = {"taktig": "bar", "sekundig": "second", "minutig": "minute"}


@dataclass(frozen=True, slots=True)
class NumberRange:
    """A number or a range in words ``first`` to ``last`` (exclusive) of the prompt.

    ``beat`` is the note value that a tempo counts, in quarter notes; None is the meter's own.
    """

    low: float
    high: float
    first: int
    last: int
    beat: float | None = None


def read_durations(context: NumberContext) -> tuple[NumberRange, ...]:
    """Return every duration in seconds: ``30 seconds``, ``2 min 30``, ``1:30``, ``half a minute``."""
    found = _with_units(context)
    covered = {place for found_range in found for place in range(found_range.first, found_range.last)}
    others = (*_clocks(context), *_bare_halves(context, covered), *_single(context), *_labelled(context, covered),
              *_compounds(context, "second", "minute"))  # fmt: skip
    return (*found, *others)


def read_bars(context: NumberContext) -> tuple[NumberRange, ...]:
    """Return every number of bars."""
    found = []
    for number in context.numbers:
        unit = context.unit_after(number.last, "bar")
        if unit is None:
            continue
        value = _value(context, number)
        # A fraction of a bar cannot be written.
        if value == int(value):
            found.append(NumberRange(value, value, number.first, unit[1]))
    used = frozenset(place for found_range in found for place in range(found_range.first, found_range.last))
    for number in context.numbers:
        label = context.label_before(number.first, used)
        if label and label.name == "bars" and number.first not in used and _stands_alone(context, number):
            found.append(NumberRange(number.value, number.value, number.first, number.last))
    return (*found, *_compounds(context, "bar"))


def _with_units(context: NumberContext) -> list[NumberRange]:
    found: list[NumberRange] = []
    for number in _with_fractions(context):
        span = _span(context, number)
        if span is None:
            continue
        seconds, end = span
        # "1 minute and 30 seconds" is one duration; "1 minute, 2 minutes" is two.
        if found and _goes_on(context, found[-1], number) and seconds < 60 <= found[-1].low:
            total = found[-1].low + seconds
            found[-1] = NumberRange(total, total, found[-1].first, end)
        else:
            found.append(NumberRange(seconds, seconds, context.range_before(number), end))
    return _with_bare_seconds(context, found)


def _goes_on(context: NumberContext, found_range: NumberRange, number: Number) -> bool:
    """Return whether only an ``and`` or a comma separates a duration from the number after it."""
    return found_range.last in (number.first, number.first - 1) and context.word(found_range.last) not in (
        "\n",
        ";",
        ".",
    )


def _with_bare_seconds(context: NumberContext, found: list[NumberRange]) -> list[NumberRange]:
    """Add the 30 of ``1 min 30``."""
    starts = {number.first: number for number in context.numbers}
    covered = {found_range.first for found_range in found}
    rows = []
    # "1 min 30" has no unit after the 30; every condition here rules out another meaning of such a number.
    for found_range in found:
        number = starts.get(found_range.last)
        is_seconds = (
            number is not None
            and found_range.last not in covered
            and found_range.low >= 60
            and number.value < 60
            and len(context.word(number.first)) == 2
            and context.tempo_unit_after(number) is None
            and context.unit_after(number.last, "bar") is None
            and context.gap(found_range.last, found_range.last).strip() == ""
            and _stands_alone(context, number)
        )
        total = found_range.low + (number.value if is_seconds and number else 0.0)
        rows.append(
            NumberRange(total, total, found_range.first, number.last if is_seconds and number else found_range.last)
        )
    return rows


def _with_fractions(context: NumberContext) -> Iterator[Number]:
    """Yield the numbers, with ``1/2`` and ``1 1/2`` before a unit of time, and ``1 200``, as one."""
    rows, skip = context.numbers, 0
    # Fractions come as separate numbers around a slash.
    for index_, number in enumerate(rows):
        if number.first < skip:
            continue
        whole = _fraction(context, rows, index_) or _spaced_thousands(context, rows, index_)
        skip = whole.last if whole else 0
        yield whole or number


def _fraction(context: NumberContext, rows: tuple[Number, ...], index_: int) -> Number | None:
    first = rows[index_]
    pairs = [(0.0, index_)]
    # A mixed number, 1 1/2, has the whole part before the fraction.
    if index_ + 2 < len(rows) and rows[index_ + 1].first == first.last:
        pairs.append((first.value, index_ + 1))
    for whole, at in pairs:
        if at + 1 >= len(rows):
            continue
        top, bottom = rows[at], rows[at + 1]
        is_fraction = context.word(top.last) == "/" and bottom.first == top.last + 1
        if is_fraction and 0 < top.value < bottom.value < 10 and context.unit_after(bottom.last, "minute", "hour"):
            return Number(whole + top.value / bottom.value, first.first, bottom.last)
    return None


def _spaced_thousands(context: NumberContext, rows: tuple[Number, ...], index_: int) -> Number | None:
    """Read the ``1 200`` of ``1 200 secondes``."""
    if index_ + 1 >= len(rows):
        return None
    first, second = rows[index_], rows[index_ + 1]
    digits = context.word(first.first), context.word(second.first)
    if second.first != first.last or len(digits[0]) != 1 or len(digits[1]) != 3 or not "".join(digits).isdecimal():
        return None
    value = first.value * 1000 + second.value
    fits = value <= _LONGEST_SECONDS and context.gap(first.last, second.first) == " "
    return Number(value, first.first, second.last) if fits and context.unit_after(second.last, "second") else None


def _value(context: NumberContext, number: Number) -> float:
    """Return the value of ``1,200`` or ``1.200`` before its unit: in English a dot is a decimal point."""
    if number.grouped is None:
        return number.value
    dotted = not number.by_comma and context.word(number.last) in _DOT_GROUPS
    return number.grouped if number.by_comma or dotted else number.value


def _span(context: NumberContext, number: Number) -> tuple[float, int] | None:
    """Return (seconds, the place after the unit) of a number with a unit of time."""
    last, value = number.last, _value(context, number)
    half = context.unit_after(last, "half")
    if half and context.word(last) not in _AND_A_HALF:
        # The article of "eine halbe Minute".
        return None
    if half and (unit := context.unit_after(half[1], *_UNIT_SECONDS)):
        return (value + 0.5) * _UNIT_SECONDS[unit[0]], unit[1]
    if unit := context.unit_after(last, *_UNIT_SECONDS):
        seconds, end = value * _UNIT_SECONDS[unit[0]], unit[1]
        half_after = context.unit_after(end, "half")
        return (seconds + _UNIT_SECONDS[unit[0]] / 2, half_after[1]) if half_after else (seconds, end)
    if context.word(last) in _SHORT_UNITS:
        word = context.words[last]
        # "30 s" may have a space; "5 m" is then a distance, and "20 h" a time of day.
        may_be_apart = word.text == "s" or (
            word.text == "h" and value <= _MOST_HOURS and context.gap(last + 1, last + 1) != ""
        )
        if word.start <= context.words[last - 1].end + may_be_apart:
            return value * _SHORT_UNITS[word.text], last + 1
    return None


def _bare_halves(context: NumberContext, covered: set[int]) -> Iterator[NumberRange]:
    for place in range(len(context.words)):
        half = context.unit_after(place, "half")
        unit = context.unit_after(half[1], *_UNIT_SECONDS) if half and place not in covered else None
        if unit:
            seconds = _UNIT_SECONDS[unit[0]] / 2
            yield NumberRange(seconds, seconds, place, unit[1])


def _single(context: NumberContext) -> Iterator[NumberRange]:
    """Read ``a minute``, ``a minute and a half``, and ``minuto y medio`` without its article."""
    numbered = {number.last for number in context.numbers}
    for place, word in enumerate(context.words[:-1]):
        unit = context.unit_after(place + 1, "minute", "hour") if word.text in _ONE else None
        if unit and not _is_half(context, place):
            seconds, end = _span(context, Number(1.0, place, place + 1)) or (60.0, unit[1])
            yield NumberRange(seconds, seconds, place, end)
    for place in range(len(context.words)):
        unit = context.unit_after(place, "minute")
        # A unit after a number or an article is read elsewhere.
        is_bare = unit and place not in numbered and context.word(place - 1) not in _ONE
        half = context.unit_after(unit[1], "half") if unit and is_bare else None
        if unit and half and context.word(unit[1]) in _AND_A_HALF:
            yield NumberRange(90.0, 90.0, place, half[1])


def _is_half(context: NumberContext, place: int) -> bool:
    matches = (context.match_at(start) for start in range(max(0, place - 3), place + 1))
    return any(match is not None and match.is_word("half") and match.last > place for match in matches)


def _labelled(context: NumberContext, covered: set[int]) -> Iterator[NumberRange]:
    """Read ``duration: 30`` and ``seconds: 30``."""
    for number in context.numbers:
        label = context.label_before(number.first, frozenset(covered)) if number.first not in covered else None
        unit = _LABEL_SECONDS.get(label.name) if label and not label.has_comma else None
        is_bound = label is not None and (label.is_marked or label.name == "duration")
        if unit and is_bound and _stands_alone(context, number):
            seconds = _value(context, number) * unit
            yield NumberRange(seconds, seconds, number.first, number.last)


def _stands_alone(context: NumberContext, number: Number) -> bool:
    """Return whether no unit of any kind follows a number."""
    last = number.last
    if context.is_measure(number) or context.has_slash(last) or context.kind_after(last):
        return False
    if context.is_number(last) or context.tempo_unit_after(number) is not None:
        return False
    follows = context.words[last] if last < len(context.words) else None
    joined = follows is not None and follows.shape == "word" and follows.start == context.words[last - 1].end
    return not joined and context.unit_after(last, *_UNIT_SECONDS, "bar") is None


def _clocks(context: NumberContext) -> Iterator[NumberRange]:
    text = context.prompt.folded
    # Read from the text, because the number reader leaves out whatever has a colon.
    for clock in _CLOCK.finditer(text):
        seconds = int(clock[1] or 0) * 3600.0 + int(clock[2]) * 60.0 + int(clock[3])
        yield _at(context, seconds, *clock.span())
    for prime in _PRIMES.finditer(text):
        seconds = float(prime[3]) if prime[3] else int(prime[1]) * 60.0 + int(prime[2])
        yield _at(context, seconds, *prime.span())


def _at(context: NumberContext, seconds: float, start: int, end: int) -> NumberRange:
    places = context.prompt.places(start, end)
    return NumberRange(seconds, seconds, places[0], places[-1] + 1)


def _compounds(context: NumberContext, *units: str) -> Iterator[NumberRange]:
    """Read a German compound: ``achttaktig``, ``dreißigsekündig``."""
    for place, word in enumerate(context.words):
        compound = _GERMAN_COMPOUND.fullmatch(word.text) if word.shape == "word" else None
        value = index()["numbers"].get(compound[1]) if compound else None
        if compound and value and _COMPOUND_UNITS[compound[2]] in units:
            amount = value * _UNIT_SECONDS.get(_COMPOUND_UNITS[compound[2]], 1.0)
            yield NumberRange(amount, amount, place, place + 1)
