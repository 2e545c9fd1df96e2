"""Spans: where in the prompt the words of each answer are."""

from __future__ import annotations

import bisect
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tunesmith.composer.brief import Reason
from tunesmith.composer.explanation.answers import TextSpan
from tunesmith.composer.genre import Genre
from tunesmith.composer.prompt.genre_words import leanings
from tunesmith.composer.prompt.instrument_words import covered, played_by, wanted_names
from tunesmith.composer.prompt.lexicon import Match, value
from tunesmith.composer.prompt.meters import read_meters
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.plain_text import plain_text
from tunesmith.request import MAX_TEMPO_BPM, MIN_TEMPO_BPM

Words = tuple[int, int]
"""The words ``first`` to ``last`` (exclusive) of a prompt."""


@dataclass(frozen=True, slots=True)
class SpanFinder:
    """Finds the words of answers in a parsed prompt; ``sent`` is the text that the caller typed."""

    parsed: ParsedPrompt
    genre: Genre
    seed: int
    sent: str

    def of(self, reason: Reason) -> tuple[TextSpan, ...]:
        """Return where the words of a reason are, in order; empty for one that is not from words."""
        find = _FINDERS.get(reason.field)
        if find is None or reason.source != "prompt":
            return ()
        plain = self.parsed.prompt
        found = sorted(set(find(self, reason.value)))
        places = [(plain.words[first].start, plain.words[last - 1].end) for first, last in found]
        return tuple(_places_in_sent(start, end, plain.text, self.sent) for start, end in places)

    def _matches(self, kind: str, name: str | None = None) -> Iterator[Match]:
        """Yield the matches of a kind, and of a name where one is given, that the prompt does not exclude."""
        for i, match in enumerate(self.parsed.matches):
            names = match.names(kind)
            if i not in self.parsed.refused and (name in names if name is not None else bool(names)):
                yield match

    def _genre(self, name: str) -> Iterator[Words]:
        named = self.parsed.genre
        for match in self._matches("genre", name):
            if named is not None and self.parsed.prompt.written(match.first, match.last) == named.words:
                yield match.first, match.last
        if named is None:
            for i, match in enumerate(self.parsed.matches):
                if i not in self.parsed.refused and leanings((match,), frozenset()).get(name):
                    yield match.first, match.last

    def _mood(self, _: str) -> Iterator[Words]:
        moods = list(self._matches("mood"))
        uses = [match for match in self._matches("use") if any("at" in value("use", u) for u in match.names("use"))]
        yield from ((match.first, match.last) for match in moods or uses[-1:])

    def _tempo(self, _: str) -> Iterator[Words]:
        numbers = [one for one in self.parsed.tempos if MIN_TEMPO_BPM <= one.low <= one.high <= MAX_TEMPO_BPM]
        if numbers:
            yield numbers[-1].first, numbers[-1].last
        else:
            yield from ((match.first, match.last) for match in list(self._matches("tempo"))[-1:])

    def _key(self, _: str) -> Iterator[Words]:
        if self.parsed.key is not None:
            yield from self._between(self.parsed.key.start, self.parsed.key.end)

    def _meter(self, _: str) -> Iterator[Words]:
        for meter in read_meters(self.parsed.prompt, self.parsed.matches)[:1]:
            yield from self._between(meter.start, meter.end)

    def _duration(self, _: str) -> Iterator[Words]:
        yield from ((one.first, one.last) for one in self.parsed.durations[-1:])

    def _bars(self, _: str) -> Iterator[Words]:
        yield from ((one.first, one.last) for one in self.parsed.bars[-1:])

    def _loudness(self, _: str) -> Iterator[Words]:
        yield from ((one.first, one.last) for one in self.parsed.loudness[-1:])

    def _form(self, name: str) -> Iterator[Words]:
        yield from ((match.first, match.last) for match in self._matches("form", f"form/{name}"))

    def _ending(self, name: str) -> Iterator[Words]:
        yield from ((match.first, match.last) for match in self._matches("form", f"ending/{name}"))

    def _production(self, name: str) -> Iterator[Words]:
        yield from ((match.first, match.last) for match in self._matches("production", name))

    def _ambience(self, name: str) -> Iterator[Words]:
        yield from ((match.first, match.last) for match in self._matches("ambience", name))

    def _instrument(self, player: str) -> Iterator[Words]:
        matches, refused = self.parsed.matches, self.parsed.refused
        for name, (kind, i) in wanted_names(matches, refused).items():
            if played_by(kind, name, self.genre, self.seed) == player:
                yield matches[i].first, matches[i].last

    def _without(self, name: str) -> Iterator[Words]:
        for i in self.parsed.refused:
            match = self.parsed.matches[i]
            meant = ((kind, one) for kind in ("instrument", "family") for one in match.names(kind))
            if any(name in covered(kind, one) for kind, one in meant):
                yield match.first, match.last

    def _between(self, start: int, end: int) -> Iterator[Words]:
        places = self.parsed.prompt.places(start, end)
        if places:
            yield places[0], places[-1] + 1


_FINDERS: Mapping[str, Callable[[SpanFinder, str], Iterator[Words]]] = {
    "genre": SpanFinder._genre, "mood": SpanFinder._mood, "tempo": SpanFinder._tempo, "key": SpanFinder._key,
    "meter": SpanFinder._meter, "duration": SpanFinder._duration, "bars": SpanFinder._bars, "form": SpanFinder._form,
    "ending": SpanFinder._ending, "production": SpanFinder._production, "ambience": SpanFinder._ambience,
    "instruments": SpanFinder._instrument, "without": SpanFinder._without, "loudness": SpanFinder._loudness,
}  # fmt: skip


def _places_in_sent(start: int, end: int, plain: str, sent: str) -> TextSpan:
    """Return where a stretch of the text that is parsed lies in the text as it was sent."""
    offset = sent.find(plain)
    if offset >= 0:
        return TextSpan(start + offset, end + offset)

    # The text that is parsed has no invisible characters, and ligatures as letters: as much of it comes from the first
    # ``number`` characters sent.
    def length_of(number: int) -> int:
        return len(plain_text(unicodedata.normalize("NFC", sent[:number]).lstrip()))

    numbers = range(len(sent) + 1)
    return TextSpan(
        bisect.bisect_right(numbers, start, key=length_of) - 1, bisect.bisect_left(numbers, end, key=length_of)
    )
