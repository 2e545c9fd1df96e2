"""Numbers in a prompt: digits, words in seven languages, ideographs, and halves."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.composer.reading.sources import index
from tunesmith.composer.reading.text import Word

_LONGEST_NUMBER = 4
_TENS = {"十": 10, "百": 100}


def number_at(words: Sequence[Word], place: int) -> tuple[float, int] | None:
    """Return the number that begins at a word and the place after it, or None."""
    if place >= len(words):
        return None
    word = words[place]
    if word.shape == "number":
        return _digits(word.text, place)
    if word.shape == "cjk":
        return _ideographs(words, place)
    numbers = index()["numbers"]
    for last in range(min(len(words), place + _LONGEST_NUMBER), place, -1):
        key = " ".join(word.text for word in words[place:last])
        if key in numbers:
            return _with_units(words, float(numbers[key]), last)
    return None


def _with_units(words: Sequence[Word], tens: float, place: int) -> tuple[float, int]:
    """Add a unit after a ten: ``twenty four`` is 24."""
    if tens >= 20 and tens % 10 == 0 and place < len(words):
        units = index()["numbers"].get(words[place].text, 0)
        if 0 < units < 10 and words[place].shape == "word":
            return tens + units, place + 1
    return tens, place


def _digits(text: str, place: int) -> tuple[float, int] | None:
    if ":" in text or text.count(",") + text.count(".") > 1 or len(text) > 9:
        return None
    return float(text.replace(",", ".")), place + 1


def _ideographs(words: Sequence[Word], place: int) -> tuple[float, int] | None:
    """Read 三十, 一百二十, 八."""
    total, last, pending = 0.0, place, 0.0
    while last < len(words):
        text = words[last].text
        if text in _TENS:
            total += (pending or 1) * _TENS[text]
            pending = 0
        elif words[last].shape == "cjk" and 0 < index()["numbers"].get(text, 0) < 10:
            pending = pending * 10 + index()["numbers"][text]
        else:
            break
        last += 1
    return (total + pending, last) if last > place else None
