"""Meters in a prompt: ``3/4``, ``6/8 time``, ``4分の3拍子``, ``compás de 3 por 4``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tunesmith.composer.prompt.lexicon import Match, of_kind
from tunesmith.composer.prompt.text import Prompt
from tunesmith.composer.theory import Meter

_FRACTION = re.compile(r"(?<![\d/])(?<!\d[.,])(\d{1,2})\s?/\s?(\d{1,2})(?![\d/])")
_WORDED = re.compile(r"(?<![\d/])(?<!\d[.,:])(\d{1,2})\s?(?:-|:|x|by|over|por|sur|uber)\s?(\d{1,2})(?![\d/]|[.,:]\d)")
_EAST_ASIAN = re.compile(r"([\d一二三四五六七八九十]+)分[の之]([\d一二三四五六七八九十]+)拍子?")
_IDEOGRAPHS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10, "十二": 12,
               "十六": 16}  # fmt: skip
_METER_BEFORE = re.compile(
    r"(?:meter|metre|time|signature|compas|compasso|takt|taktart|mesure|拍子|拍号)\s*(?:[:=は为]|de|a)?\s*$"
)
_METER_AFTER = re.compile(r"[\s-]*(?:time\b|meter\b|metre\b|signature\b|takt|拍)")
_SHARE_AFTER = re.compile(r"\s*(?:of\b|de (?:la|las|los|l)\b|der\b|des\b)")
_LONGEST_BEFORE = 24
_TIME_UNITS = ("second", "minute", "hour")


@dataclass(frozen=True, slots=True)
class RequestedMeter:
    """A meter that a prompt names, and its span in the text."""

    meter: Meter
    start: int
    end: int


def read_meters(prompt: Prompt, matches: Sequence[Match]) -> tuple[RequestedMeter, ...]:
    """Return every meter that the prompt names: those in digits, then those in words."""
    found = [
        RequestedMeter(Meter(numerator, denominator), *place.span())
        for numerator, denominator, place in _fractions(prompt)
        if denominator in (2, 4, 8, 16) and 2 <= numerator <= 15 and not _is_share(prompt, matches, place)
    ]
    for match, name in of_kind(matches, "form"):
        ends_well = match.last >= len(prompt.words) or prompt.words[match.last].shape != "word"
        # "In five" may go on: "in five minutes".
        is_clear = match.last - match.first > 2 or prompt.words[match.first].text != "in"
        place = prompt.words[match.first].start, prompt.words[match.last - 1].end
        # 3/4拍子 contains 4拍子.
        is_apart = all(meter.end <= place[0] or place[1] <= meter.start for meter in found)
        if name.startswith("meter/") and (ends_well or is_clear) and is_apart:
            found.append(RequestedMeter(Meter.parse(name.removeprefix("meter/")), *place))
    return tuple(found)


def meter_warnings(prompt: Prompt, meters: Sequence[RequestedMeter]) -> tuple[str, ...]:
    """Return warnings: where several meters are named, and for each that a word calls a meter but cannot be one."""
    starts = {meter.start for meter in meters}
    odd = [
        m.group() for m in _FRACTION.finditer(prompt.folded) if m.start() not in starts and _is_called_meter(prompt, m)
    ]
    several = len({meter.meter for meter in meters}) > 1
    return (
        *([f"meter: the prompt names several; the first, {meters[0].meter}, is used"] if several else ()),
        *(f"meter: must be 2 to 15 over 2, 4, 8 or 16, got {text!r} in the prompt; left out" for text in odd),
    )


def _is_called_meter(prompt: Prompt, place: re.Match[str]) -> bool:
    text, start = prompt.folded, place.start()
    before = _METER_BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start)
    return before is not None or _METER_AFTER.match(text, place.end()) is not None


def _fractions(prompt: Prompt) -> Iterator[tuple[int, int, re.Match[str]]]:
    for found in _FRACTION.finditer(prompt.text):
        yield int(found[1]), int(found[2]), found
    for found in _EAST_ASIAN.finditer(prompt.text):
        yield _number(found[2]), _number(found[1]), found
    for found in _WORDED.finditer(prompt.folded):
        # "3 by 4" and "4:3" are meters only beside a word for meter.
        if _is_called_meter(prompt, found):
            yield int(found[1]), int(found[2]), found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _IDEOGRAPHS.get(text, 0)


def _is_share(prompt: Prompt, matches: Sequence[Match], found: re.Match[str]) -> bool:
    """Return whether a fraction is a share of something, as in ``3/4 of the crowd`` and ``3/4 hour``."""
    if _SHARE_AFTER.match(prompt.folded, found.end()):
        return True
    after = prompt.places(found.end(), len(prompt.text)).start
    return any(match.first == after and any(map(match.is_word, _TIME_UNITS)) for match in matches)
