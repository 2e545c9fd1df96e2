"""Search for the words of the tables in a prompt, the longest phrase first."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunesmith.composer.prompt.lexicon_index import SEPARATOR, index
from tunesmith.composer.prompt.text import Prompt, Word, stem


@dataclass(frozen=True, slots=True)
class Match:
    """The words ``first`` to ``last`` (exclusive) of the prompt and what they may mean: (kind, name) pairs."""

    first: int
    last: int
    meanings: tuple[tuple[str, str], ...]

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of one kind that the words may mean."""
        return tuple(name for own, name in self.meanings if own == kind)

    def is_word(self, name: str) -> bool:
        """Return whether this is the function word ``name`` of words.yaml."""
        return ("word", name) in self.meanings


def value(kind: str, name: str) -> Mapping[str, Any]:
    """Return the values of an entry of the tables, without its words."""
    row: Mapping[str, Any] = index()["values"].get(kind, {}).get(name, {})
    return row


def names(kind: str) -> tuple[str, ...]:
    """Return every name of a kind, in the order of its table."""
    return tuple(index()["values"].get(kind, {}))


def find(prompt: Prompt) -> tuple[Match, ...]:
    """Return all known phrases, left to right, the longest at each place; words that clash are left out."""
    found = []
    place = 0
    while place < len(prompt.words):
        match = _longest_at(prompt.words, place)
        if match is None:
            place += 1
            continue
        if not _clashes(prompt.words, match):
            found.append(match)
        # A clashing phrase is skipped as a whole: its words mean something else even on their own.
        place = match.last
    return tuple(found)


def lookup(phrase: str) -> tuple[tuple[str, str], ...]:
    """Return the meanings of a whole phrase, given as a key."""
    return _meanings(index()["phrases"].get(phrase, ""))


def _meanings(entries: str) -> tuple[tuple[str, str], ...]:
    """Return the (kind, name) pairs of an entry of the index."""
    rows = (entry.partition(":") for entry in entries.split(SEPARATOR) if entry)
    return tuple((kind, name) for kind, _, name in rows)


def _longest_at(words: Sequence[Word], place: int) -> Match | None:
    # Bounded by the longest phrase that begins with this word: most words begin none.
    longest = max(_reach().get(words[place].text, 0), _reach().get(stem(words[place].text), 0))
    for last in range(min(len(words), place + longest), place, -1):
        texts = [word.text for word in words[place:last]]
        # The exact words first: a stem may belong to several words.
        entries = index()["phrases"].get(" ".join(texts)) or index()["stems"].get(" ".join(map(stem, texts)))
        if entries:
            return Match(place, last, _meanings(entries))
    return _compound_at(words, place)


def _compound_at(words: Sequence[Word], place: int) -> Match | None:
    """Read a German compound by its first member, ``Klaviermusik``, ``Regengeräusche``; and ``drumless``."""
    compounds = index()["compounds"]
    for tail in compounds["lacking"]:
        head = words[place].text.removesuffix(tail)
        meanings = lookup(head) if head != words[place].text else ()
        # Only for instruments: "careless" does not ask to leave anything out.
        if any(kind in ("instrument", "family") for kind, _ in meanings):
            return Match(place, place + 1, meanings)
    for tail in compounds["after"]:
        head = words[place].text.removesuffix(tail)
        # The entry of the table does not have the letters that join it to the next member.
        for letters in ("", *compounds["joining"]):
            known = head.removesuffix(letters)
            meanings = lookup(known) if len(known) >= 3 and head != words[place].text else ()
            # "Freizeit" is leisure, and nothing is free of time.
            if any(kind not in ("word", "label") for kind, _ in meanings):
                return Match(place, place + 1, meanings)
    return None


@functools.cache
def _reach() -> Mapping[str, int]:
    """Return the length in words of the longest phrase that begins with each word."""
    reach: dict[str, int] = {}
    for table in ("phrases", "stems"):
        for phrase in index()[table]:
            first, *rest = phrase.split(" ")
            reach[first] = max(reach.get(first, 0), 1 + len(rest))
    return reach


def _clashes(words: Sequence[Word], match: Match) -> bool:
    """Return whether a word's neighbours show that it means something else: ``my house``, ``rock climbing``."""
    rule = index()["clashes"].get(" ".join(word.text for word in words[match.first : match.last]))
    if rule is None:
        return False
    before = words[match.first - 1].text if match.first else ""
    after = words[match.last].text if match.last < len(words) else ""
    # YAML reads some words, such as "no", as other types, hence the conversion.
    return before in map(str, rule.get("not_after", ())) or after in map(str, rule.get("not_before", ()))


def of_kind(matches: Sequence[Match], kind: str) -> Iterator[tuple[Match, str]]:
    """Yield each match with each of its names of a kind."""
    for match in matches:
        for name in match.names(kind):
            yield match, name
