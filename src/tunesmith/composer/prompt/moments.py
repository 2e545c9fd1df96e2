"""Times in a prompt that are moments, not its length: ``climax at 0:20``, ``drop after 15 seconds``, ``ends at 0:45``.

A time is a moment where one of the words of moments.yaml stands beside it. The word stands before the time, or after a
time that names a point: ``at 0:20 the drop``, ``20秒でクライマックス``. The nearest pair of word and time wins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tunesmith.composer.prompt.beside_numbers import NumberContext
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.tempo_and_length import NumberRange

_LONGEST_CUE = 8
_MOST_BETWEEN, _MOST_BETWEEN_CJK = 4, 6
# A stretch, such as a fade, stands right beside its length.
_MOST_BESIDE_STRETCH = 1
_MOST_BETWEEN_LISTED, _MOST_BEFORE_END = 2, 2
_POINTS = frozenset(
    word
    for words in (
        "at after by around the second",
        "a al los las tras despues en segundo",
        "nach bei ab um zur sekunde",
        "apres au aux seconde",
        "em aos apos depois no segundo",
    )
    for word in words.split()
)
"""Words before a time that make it a point, folded."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the piece: ``kind`` is climax, hit or end.

    ``time`` is in seconds from the start, or before the end where ``from_end`` is true; ``first`` to ``last``
    (exclusive) are its words.
    """

    kind: str
    time: float
    first: int
    last: int
    from_end: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a prompt: those that are its length, its moments, and the stretches whose length cannot be set."""

    durations: tuple[NumberRange, ...]
    moments: tuple[Moment, ...]
    stretches: tuple[NumberRange, ...]
    words: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Cue:
    kind: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Pair:
    distance: int
    cue: _Cue
    time: NumberRange


def sorted_times(context: NumberContext, durations: Sequence[NumberRange]) -> Times:
    """Tell the length of a piece from its moments among the ``durations`` that a prompt names."""
    times = sorted((*durations, *_numbered_seconds(context)), key=lambda time: time.first)
    cues = tuple(_cues(context))
    if not cues:
        return Times(tuple(durations), (), (), frozenset())
    cue_of = _paired(context, cues, times)
    starts = {cue.first: cue for cue in cues}
    told = [(time, cue_of[time]) for time in times if time in cue_of]
    stretches = tuple(time for time, cue in told if cue.kind == "stretch")
    moments = [_moment(time, cue, starts) for time, cue in told if cue.kind != "stretch"]
    words = {place for moment in moments for place in range(moment.first, moment.last)}
    ends = tuple(NumberRange(m.time, m.time, m.first, m.last) for m in moments if m.kind == "end")
    plain = tuple(time for time in durations if time not in cue_of)
    # An end is the length as well, and surer than any other number.
    return Times((*plain, *ends), tuple(m for m in moments if m.kind != "end"), stretches, frozenset(words))


def _numbered_seconds(context: NumberContext) -> Iterator[NumberRange]:
    """Read ``at second 20``, ``al segundo 20``: the unit before its number."""
    counted = {number.last for number in context.numbers}
    for number in context.numbers:
        place = number.first - 1
        unit = context.unit_after(place, "second") if place >= 0 and place not in counted else None
        if unit is not None and unit[1] == number.first and context.unit_after(number.last, "second") is None:
            yield NumberRange(number.value, number.value, place, number.last)


def _cues(context: NumberContext) -> Iterator[_Cue]:
    table: dict[str, str] = index()["moments"]
    place = 0
    while place < len(context.words):
        for last in range(min(len(context.words), place + _LONGEST_CUE), place, -1):
            kind = table.get(" ".join(word.text for word in context.words[place:last]))
            if kind is not None:
                yield _Cue(kind, place, last)
                place = last
                break
        else:
            place += 1


def _paired(context: NumberContext, cues: Sequence[_Cue], times: Sequence[NumberRange]) -> dict[NumberRange, _Cue]:
    """Return the word of each time that has one, the nearest pairs first; each word belongs to one time."""
    pairs = sorted(_pairs(context, cues, times), key=lambda pair: (pair.distance, pair.time.first, pair.cue.first))
    found: dict[NumberRange, _Cue] = {}
    used: set[_Cue] = set()
    for pair in pairs:
        if pair.time not in found and pair.cue not in used:
            found[pair.time] = pair.cue
            used.add(pair.cue)
    # "hits at 0:12, 0:20 and 0:42": a list of clock times goes on.
    for before, time in itertools.pairwise(times):
        if before in found and time not in found and _continues(context, before, time):
            found[time] = found[before]
    return found


def _continues(context: NumberContext, before: NumberRange, time: NumberRange) -> bool:
    clocks = all(":" in context.words[one.last - 1].text for one in (before, time))
    return clocks and time.first - before.last <= _MOST_BETWEEN_LISTED


def _pairs(context: NumberContext, cues: Sequence[_Cue], times: Sequence[NumberRange]) -> Iterator[_Pair]:
    starts = {cue.first: cue for cue in cues if cue.kind != "before"}
    ends = {cue.last: cue for cue in cues if cue.kind != "before"}
    for place, time in enumerate(times):
        # No word says anything about a time beyond the next one.
        lowest = times[place - 1].last if place else 0
        highest = times[place + 1].first if place + 1 < len(times) else len(context.words)
        for distance in range(_MOST_BETWEEN_CJK + 1):
            before, after = ends.get(time.first - distance), starts.get(time.last + distance)
            if before and before.first >= lowest and _belongs(context, time, before, distance):
                yield _Pair(distance, before, time)
            if after and after.last <= highest and _belongs(context, time, after, distance):
                yield _Pair(distance, after, time)


def _belongs(context: NumberContext, time: NumberRange, cue: _Cue, distance: int) -> bool:
    """Return whether a word ``distance`` words before or after a time says what the time is."""
    is_after, is_cjk = cue.first >= time.last, context.words[cue.first].shape == "cjk"
    between = context.words[time.last : cue.first] if is_after else context.words[cue.last : time.first]
    if any(word.shape == "mark" and word.text != ":" for word in between):
        return False
    if cue.kind == "stretch":
        return distance <= _MOST_BESIDE_STRETCH
    if not is_cjk and distance > _MOST_BETWEEN:
        return False
    # "30 seconds with a climax" is a length; "at 30 seconds a climax" is a moment.
    if is_after:
        return cue.kind != "end" and (is_cjk or _is_point(context, time))
    if cue.kind == "ends" and is_cjk:
        return False
    return is_cjk or cue.kind in ("end", "ends") or _is_point(context, time)


def _is_point(context: NumberContext, time: NumberRange) -> bool:
    """Return whether a time names a point: ``at 20 s``, ``0:20``, ``20 s in``, ``20 s before the end``, ``(20 s)``."""
    signs = (context.gap(time.first, time.first).strip(), context.gap(time.last, time.last).strip())
    is_signed = context.word(time.first - 1) == ":" or any(sign and sign in "=(" for sign in signs)
    is_clock = any(":" in word.text for word in context.words[time.first : time.last])
    after = index()["moments"].get(context.word(time.last)) == "before"
    return is_signed or is_clock or after or context.word(time.last) == "in" or context.word(time.first - 1) in _POINTS


def _moment(time: NumberRange, cue: _Cue, cues: Mapping[int, _Cue]) -> Moment:
    kind = "end" if cue.kind == "ends" else cue.kind
    # The word of a list may lie far before its later times.
    is_near = time.first - cue.last <= _MOST_BETWEEN_CJK
    first, last = min(time.first, cue.first) if is_near else time.first, max(time.last, cue.last)
    if (before := cues.get(time.last)) is not None and before.kind == "before" and kind != "end":
        places = range(before.last, before.last + _MOST_BEFORE_END + 1)
        end = next((cues[place] for place in places if place in cues and cues[place].kind in ("end", "ends")), None)
        if end is not None:
            return Moment(kind, time.low, first, max(last, end.last), from_end=True)
    return Moment(kind, time.low, first, last)
