"""The words that change a piece, from words.yaml, and the search for them in a text."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from tunesmith.composer.genre import Loader
from tunesmith.composer.prompt.lexicon import Match
from tunesmith.composer.prompt.lexicon_index import LANGUAGES
from tunesmith.composer.prompt.text import Prompt, phrase_key, stem_key

KINDS: Mapping[str, str] = {
    "effects": "effect", "modifiers": "modifier", "actions": "action", "places": "place", "intervals": "interval",
    "things": "thing", "quantities": "quantity", "joins": "join", "fillers": "filler",
}  # fmt: skip
_STEMMED = frozenset({"effect", "action", "thing"})
# What a longer phrase of the prompt's tables means beats a shorter one of ours: 长笛 is a flute, not a long something.
_NAMES_OF_THINGS = frozenset({"instrument", "family", "genre", "ambience", "production", "form"})

Meaning = tuple[str, str]
"""The kind and the name of an entry of words.yaml."""


@dataclass(frozen=True, slots=True)
class ChangeWord:
    """A phrase found in a text: what it may mean, and its span in characters."""

    meanings: tuple[Meaning, ...]
    start: int
    end: int

    def name(self, kind: str) -> str | None:
        """Return the name of a kind that the phrase may mean, or None."""
        return next((name for own, name in self.meanings if own == kind), None)


@dataclass(frozen=True, slots=True)
class _Tables:
    phrases: Mapping[str, tuple[Meaning, ...]]
    stems: Mapping[str, tuple[Meaning, ...]]
    longest: int


@functools.cache
def _tables() -> _Tables:
    text = (resources.files("tunesmith.composer.changes") / "words.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[Any, dict[str, str]]] = yaml.load(text, Loader=Loader)  # noqa: S506  CSafeLoader is safe
    phrases: dict[str, list[Meaning]] = {}
    stems: dict[str, list[Meaning]] = {}
    for table, kind in KINDS.items():
        for name, words in rows[table].items():
            for phrase in (phrase for code in LANGUAGES for phrase in str(words.get(code, "")).split(",")):
                key = phrase_key(phrase)
                for place in (phrases, stems) if kind in _STEMMED and key.isascii() else (phrases,):
                    entry = place.setdefault(stem_key(key) if place is stems else key, [])
                    entry += [(kind, str(name))] * ((kind, str(name)) not in entry)
    longest = max(key.count(" ") + 1 for key in phrases)
    return _Tables(_frozen(phrases), _frozen(stems), longest)


def _frozen(table: Mapping[str, list[Meaning]]) -> Mapping[str, tuple[Meaning, ...]]:
    return {key: tuple(found) for key, found in table.items() if key}


def find_change_words(prompt: Prompt, matches: Sequence[Match]) -> tuple[ChangeWord, ...]:
    """Return the phrases that change a piece, left to right, the longest at each place.

    ``matches`` are those of the prompt's tables; a phrase inside a longer name of a thing is left out.
    """
    guarded = {
        place: match.last - match.first
        for match in matches
        if _NAMES_OF_THINGS & {kind for kind, _ in match.meanings}
        for place in range(match.first, match.last)
    }
    found, place = [], 0
    while place < len(prompt.words):
        word, length, is_exact = _longest_at(prompt, place)
        # An inflected form of ours gives way to an exact name: "Streicher" are strings, and no form of "streiche".
        weight = length if is_exact else length - 1
        if word is not None and all(guarded.get(i, 0) <= weight for i in range(place, place + length)):
            found.append(word)
            place += length
        else:
            place += 1
    return tuple(found)


def _longest_at(prompt: Prompt, place: int) -> tuple[ChangeWord | None, int, bool]:
    """Return the longest phrase that begins at a word, its length in words, and whether it is no inflected form."""
    tables = _tables()
    for last in range(min(len(prompt.words), place + tables.longest), place, -1):
        key = " ".join(word.text for word in prompt.words[place:last])
        exact = tables.phrases.get(key)
        meanings = exact or tables.stems.get(stem_key(key))
        if meanings:
            word = ChangeWord(meanings, prompt.words[place].start, prompt.words[last - 1].end)
            return word, last - place, exact is not None
    return None, 0, False
