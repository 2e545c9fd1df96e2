"""Warnings about numbers in a prompt that nothing uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tunesmith.composer.prompt.beside_numbers import NumberContext
from tunesmith.composer.prompt.lexicon import Match
from tunesmith.composer.prompt.numbers import Number, number_at
from tunesmith.composer.prompt.text import Prompt
from tunesmith.request import MAX_DURATION_SECONDS, MAX_TEMPO_BPM, MIN_DURATION_SECONDS, MIN_TEMPO_BPM

# A smaller number after a word counts or names something: "lo-fi 2".
_SMALLEST_TEMPO = 20.0
_MUSICAL = ("instrument", "family", "genre", "mood", "style", "production", "form", "tempo")
_KNOWN_NAMES = re.compile(r"(?<!\d)(?:24/7|9/11|50/50|100\s?%|808|909|707|606|303|404|101|1[89]\d\d|20\d\d)(?!\d)")


def unused_number_warnings(prompt: Prompt, matches: Sequence[Match], used: frozenset[int]) -> tuple[str, ...]:
    """Return a warning for each number in digits that may be meant and that no field uses."""
    context = NumberContext(prompt, matches, used)
    # Numbers inside a known phrase, such as "8-bit", have been used.
    named = {i for m in matches for i in range(m.first, m.last)}
    for name in _KNOWN_NAMES.finditer(prompt.folded):
        named.update(prompt.places(*name.span()))
    return tuple(dict.fromkeys(_warnings(context, used | named)))


def _warnings(context: NumberContext, known: frozenset[int]) -> Iterator[str]:
    for place, word in enumerate(context.words):
        # Only digits: a number in words is more often part of a phrase than a value.
        number = number_at(context.words, place) if word.shape == "number" and place not in known else None
        if number is None:
            continue
        if _is_alone(context, number):
            yield f"prompt: {word.text!r} is not used{_hint(number.value) if context.word(place - 1) != ':' else ''}"
        elif (phrase := _musical_phrase(context, number)) is not None:
            yield f"prompt: the number in {phrase!r} is not used"


def _hint(value: float) -> str:
    ways = [f"'{value:g} bpm' for a tempo"] if MIN_TEMPO_BPM <= value <= MAX_TEMPO_BPM else []
    ways += [f"'{value:g} seconds' for a length"] if MIN_DURATION_SECONDS <= value <= MAX_DURATION_SECONDS else []
    return f"; write {' or '.join(ways)}" if ways else ""


def _is_alone(context: NumberContext, number: Number) -> bool:
    """Return whether a number is a clause of its own, or ends one after a word of music: ``calm piano 114``."""
    before, last = number.first - 1, number.last
    if (
        not (context.ends_clause(last) or context.words[last].shape == "number")
        or context.word(last) == ":"
        or context.is_measure(number)
        or context.is_name(number.first)
        or _is_joined(context, number)
    ):
        return False
    # A number that is a clause of its own was meant as a value.
    if before < 0 or context.words[before].is_pause:
        return True
    match = next((m for m in context.matches if m.last == number.first), None)
    is_music = match is not None and any(match.names(kind) for kind in _MUSICAL)
    return is_music and number.value >= _SMALLEST_TEMPO


def _is_joined(context: NumberContext, number: Number) -> bool:
    """Return whether a number is part of a longer sign: ``mp3``, ``16:9``, ``#5``."""
    text, start, end = context.prompt.text, context.words[number.first].start, context.words[number.last - 1].end
    return (start > 0 and (text[start - 1].isalnum() or text[start - 1] in "#/_.:")) or text[end : end + 1] in (
        "/",
        "_",
    )


def _musical_phrase(context: NumberContext, number: Number) -> str | None:
    """Return a number with the musical thing that it counts, ``2 guitars``, ``-14 dBFS``, or None."""
    match = context.match_at(number.last)
    if _is_joined(context, number) or context.is_name(number.first) or context.ends_clause(number.last):
        return None
    if match is not None and (match.names("instrument") or match.names("family")):
        return context.prompt.written(number.first, match.last)
    if context.kind_after(number.last) == "counted":
        return context.prompt.written(number.first, number.last + 1)
    return None
