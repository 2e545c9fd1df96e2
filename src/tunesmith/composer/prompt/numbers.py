"""Numbers in a prompt: digits, words in seven languages, ideographs and halves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.text import Word

_LONGEST_NUMBER = 4
_TENS = {"十": 10, "百": 100}
_GROUPS = re.compile(r"\d{1,3}(?:([.,])\d{3})+")
_GERMAN_HUNDRED = re.compile(r"(ein|zwei|)hundert(?:und)?(\w*)")
_HUNDRED_AND = frozenset({"and", "e", "und", "et", "y"})
# 100 only before what is added to it.
_CENTO = frozenset({"cento", "ciento"})


@dataclass(frozen=True, slots=True)
class Number:
    """The number in words ``first`` to ``last`` (exclusive).

    ``grouped`` is the other value of ``1,200`` or ``1.200``, with the separator read as that of thousands; ``by_comma``
    says whether the separator is a comma.
    """

    value: float
    first: int
    last: int
    grouped: float | None = None
    by_comma: bool = False


def number_at(words: Sequence[Word], place: int) -> Number | None:
    """Return the number that begins at a word, or None."""
    if place >= len(words):
        return None
    word = words[place]
    if word.shape == "number":
        return _digits(word.text, place)
    if word.shape == "cjk":
        return _ideographs(words, place)
    return _in_words(words, place) if word.shape == "word" else None


def numbers_in(words: Sequence[Word], taken: frozenset[int]) -> tuple[Number, ...]:
    """Return all numbers, left to right, except those that begin at a ``taken`` word."""
    found, place = [], 0
    while place < len(words):
        number = None if place in taken else number_at(words, place)
        if number is not None:
            found.append(number)
        place = number.last if number else place + 1
    return tuple(found)


def _digits(text: str, place: int) -> Number | None:
    # A colon makes it a clock time; more digits than 9 are an identifier.
    if ":" in text or len(text) > 9:
        return None
    groups = _GROUPS.fullmatch(text)
    grouped = float(re.sub("[.,]", "", text)) if groups else None
    # Several separators are groups of thousands, or no number at all.
    if text.count(",") + text.count(".") > 1:
        return None if grouped is None else Number(grouped, place, place + 1)
    is_comma = groups is not None and groups[1] == ","
    return Number(float(text.replace(",", ".")), place, place + 1, grouped, is_comma)


def _in_words(words: Sequence[Word], place: int) -> Number | None:
    """Read ``ninety``, ``one hundred and fourteen``, ``ciento catorce``, ``hundertvierzehn``."""
    german = _GERMAN_HUNDRED.fullmatch(words[place].text)
    if german:
        rest = index()["numbers"].get(german[2], 0) if german[2] else 0
        if rest or not german[2]:
            return Number({"zwei": 200.0}.get(german[1], 100.0) + rest, place, place + 1)
    found = (100.0, place + 1) if words[place].text in _CENTO else _plain(words, place)
    if found is None:
        return None
    value, last = found
    if value in range(1, 10) and last < len(words) and words[last].text == "hundred":
        value, last = value * 100, last + 1
    if value in (100, 200):
        return _with_rest(words, value, place, last)
    return Number(*_with_units(words, value, place, last))


def _plain(words: Sequence[Word], place: int) -> tuple[float, int] | None:
    numbers = index()["numbers"]
    for last in range(min(len(words), place + _LONGEST_NUMBER), place, -1):
        key = " ".join(word.text for word in words[place:last])
        if key in numbers:
            return float(numbers[key]), last
    return None


def _with_rest(words: Sequence[Word], hundreds: float, first: int, last: int) -> Number | None:
    """Add what follows a hundred; ``cento`` alone is no number."""
    start = last + 1 if last < len(words) and words[last].text in _HUNDRED_AND else last
    rest = _plain(words, start) if start < len(words) and words[start].shape == "word" else None
    if rest and rest[0] < 100:
        return Number(hundreds + rest[0], first, rest[1])
    return None if words[first].text in _CENTO else Number(hundreds, first, last)


def _with_units(words: Sequence[Word], tens: float, first: int, last: int) -> tuple[float, int, int]:
    """Add a unit after a ten: ``twenty four`` is 24."""
    if tens >= 20 and tens % 10 == 0 and last < len(words):
        units = index()["numbers"].get(words[last].text, 0)
        if 0 < units < 10 and words[last].shape == "word":
            return tens + units, first, last + 1
    return tens, first, last


def _ideographs(words: Sequence[Word], place: int) -> Number | None:
    """Read ``三十``, ``一百二十``, ``八``."""
    total, last, pending = 0.0, place, 0.0
    while last < len(words):
        text = words[last].text
        if text in _TENS:
            total += (pending or 1) * _TENS[text]
            pending = 0
        # Digits in a row, 一二八, are read by place value.
        elif words[last].shape == "cjk" and 0 < index()["numbers"].get(text, 0) < 10:
            pending = pending * 10 + index()["numbers"][text]
        else:
            break
        last += 1
    return Number(total + pending, place, last) if last > place else None
