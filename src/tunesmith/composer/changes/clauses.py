"""Words of a change as clauses: what each one names, in the order of the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tunesmith.composer.changes.change_words import ChangeWord, find_change_words
from tunesmith.composer.prompt import lexicon
from tunesmith.composer.prompt.lexicon import Match
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt, understand
from tunesmith.composer.prompt.text import Prompt, Word

MOST_INTERVALS = 24
"""The most semitones, tones or other intervals that a change of key may count."""

_THINGS = ("instrument", "family", "ambience", "production", "mood", "genre", "form")
_OF_PHRASES = ("effect", "modifier", "action", "place", "interval", "thing")
# Not blanked: in "tempo 120" it is what makes the number a tempo.
_BESIDE_NUMBERS = ("quantity",)
_FUNCTION_KINDS = frozenset({"word", "label", "mode"})


@dataclass(frozen=True, slots=True)
class ClauseItem:
    """One thing that a clause names, with its span in characters; ``refused`` says that a negation covers it."""

    kind: str
    name: str
    start: int
    end: int
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its text as written, and what it names, left to right; ``count`` is a number before an interval."""

    text: str
    items: tuple[ClauseItem, ...]
    is_negated: bool = False
    count: int = 1
    start: int = 0
    end: int = 0

    def of(self, *kinds: str) -> tuple[ClauseItem, ...]:
        """Return the items of some kinds."""
        return tuple(item for item in self.items if item.kind in kinds)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of the items of a kind."""
        return tuple(item.name for item in self.items if item.kind == kind)

    @property
    def is_bare(self) -> bool:
        """Whether it only names things, as the end of a list does."""
        return bool(self.items) and all(item.kind in _THINGS for item in self.items)


@dataclass(frozen=True, slots=True)
class ChangeText:
    """The words of a change: their clauses, what the prompt's own reader reads, and words that nothing explains."""

    prompt: Prompt
    parsed: ParsedPrompt
    clauses: tuple[Clause, ...]
    unknown: tuple[str, ...] = field(default=())


def read_clauses(text: str) -> ChangeText:
    """Split the words of a change into clauses and find what each names."""
    prompt = Prompt.of(text)
    found = find_change_words(prompt, lexicon.find(prompt))
    phrases = [word for word in found if any(word.name(kind) for kind in _OF_PHRASES)]
    # Blanked, so that the prompt's reader takes "slower" for no tempo of its own; places stay the same.
    rest = list(prompt.text)
    for word in phrases:
        rest[word.start : word.end] = " " * (word.end - word.start)
    parsed = understand("".join(rest))
    named = [word for word in found if any(word.name(kind) for kind in (*_OF_PHRASES, *_BESIDE_NUMBERS))]
    items = sorted(
        [*_from_phrases(named), *_from_matches(parsed, _is_about_players(phrases))],
        key=lambda item: (item.start, item.kind != "action"),
    )
    clauses = tuple(_clause(prompt, parsed, items, start, end) for start, end in _spans(prompt, found))
    return ChangeText(prompt, parsed, tuple(c for c in clauses if c.items), _unknown(prompt, parsed, found))


def _from_phrases(phrases: list[ChangeWord]) -> Iterator[ClauseItem]:
    for word in phrases:
        for kind, name in word.meanings:
            if kind in (*_OF_PHRASES, *_BESIDE_NUMBERS):
                yield ClauseItem(kind, name, word.start, word.end)


def _is_about_players(phrases: list[ChangeWord]) -> bool:
    return any(word.name("action") == "remove" or word.name("effect") in ("louder", "quieter") for word in phrases)


def _from_matches(parsed: ParsedPrompt, about_players: bool) -> Iterator[ClauseItem]:
    words = parsed.prompt.words
    for i, match in enumerate(parsed.matches):
        if any(place in parsed.numeric for place in range(match.first, match.last)):
            continue
        kind = next(_kinds_of(match), None)
        players = _players_in(parsed, match) if i in parsed.refused or about_players else []
        if kind == "genre" and len(players) > 1:
            # "No drums and bass" names two players, and no genre.
            yield from (replace(player, refused=i in parsed.refused) for player in players)
        elif kind is not None:
            span = words[match.first].start, words[match.last - 1].end
            yield ClauseItem(kind, match.names(kind)[0], *span, i in parsed.refused)


def _players_in(parsed: ParsedPrompt, match: Match) -> list[ClauseItem]:
    return [
        ClauseItem(kind, name, word.start, word.end)
        for word in parsed.prompt.words[match.first : match.last]
        for kind, name in lexicon.lookup(word.text)[:1]
        if kind in ("instrument", "family")
    ]


def _kinds_of(match: Match) -> Iterator[str]:
    # A word that names a genre and a player, such as "waltz guitar", is the genre, as in a prompt.
    order = ("genre", "instrument", "family", "production", "ambience", "mood", "form")
    yield from (kind for kind in order if match.names(kind))


def _spans(prompt: Prompt, found: tuple[ChangeWord, ...]) -> Iterator[tuple[int, int]]:
    """Yield the characters of each clause: pauses and joining words end one."""
    cuts = [(word.start, word.end) for word in prompt.words if word.is_pause]
    cuts += [(word.start, word.end) for word in found if word.name("join")]
    start = 0
    for cut, after in sorted(cuts):
        yield start, cut
        start = after
    yield start, len(prompt.text)


def _clause(prompt: Prompt, parsed: ParsedPrompt, items: list[ClauseItem], start: int, end: int) -> Clause:
    own = tuple(item for item in items if start <= item.start < end)
    words = parsed.prompt.words
    negated = any(
        start <= words[match.first].start < end and (match.is_word("negate") or match.is_word("negate_after"))
        for match in parsed.matches
    )
    return Clause(prompt.text[start:end].strip(), own, negated, _count(prompt, own), start, end)


def _count(prompt: Prompt, items: tuple[ClauseItem, ...]) -> int:
    interval = next((item for item in items if item.kind == "interval"), None)
    numbers = _numbers_before(prompt, interval.start) if interval is not None else []
    return int(_number(numbers[-1]) or 1) if numbers else 1


def _numbers_before(prompt: Prompt, start: int) -> list[Word]:
    """Return the number right before an interval, or with one word between the two."""
    before = [word for word in prompt.words if word.end <= start][-2:]
    return [word for word in before if _number(word)][-1:]


def _number(word: Word) -> float | None:
    number = float(word.text) if word.text.isdecimal() else index()["numbers"].get(word.text)
    return number if number and number == int(number) and number <= MOST_INTERVALS else None


def _unknown(prompt: Prompt, parsed: ParsedPrompt, found: tuple[ChangeWord, ...]) -> tuple[str, ...]:
    """Return the stretches of text that no table explains, as they were written."""
    known = [(word.start, word.end) for word in found]
    words = parsed.prompt.words
    for match in parsed.matches:
        kinds = {kind for kind, _ in match.meanings}
        if kinds & {*_THINGS, *_FUNCTION_KINDS}:
            known.append((words[match.first].start, words[match.last - 1].end))
    known += [(words[place].start, words[place].end) for place in parsed.numeric]
    intervals = [word for word in found if word.name("interval")]
    known += [(word.start, word.end) for one in intervals for word in _numbers_before(prompt, one.start)]
    stretches: list[tuple[int, int]] = []
    for word in prompt.words:
        if word.shape not in ("word", "cjk", "number") or any(a <= word.start < b for a, b in known):
            continue
        # Neighbours are one stretch: 紫の自転車 is one thing that is not understood.
        if stretches and not prompt.text[stretches[-1][1] : word.start].strip():
            stretches[-1] = stretches[-1][0], word.end
        else:
            stretches.append((word.start, word.end))
    return tuple(prompt.text[a:b] for a, b in stretches)
