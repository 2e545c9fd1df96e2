"""A prompt as words: folded for comparison, with their spans in the text."""

from __future__ import annotations

import functools
import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from tunesmith.plain_text import plain_text

_CJK = r"\u3040-\u30ff\u3005\u3400-\u4dbf\u4e00-\u9fff"
_VOWEL_SIGNS = "\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u200c\u200d" + "".join(
    f"{chr(block)}-{chr(block + 0x03)}{chr(block + 0x3A)}-{chr(block + 0x4F)}{chr(block + 0x55)}-{chr(block + 0x63)}"
    for block in range(0x0900, 0x0E00, 0x80)
) + "\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"  # fmt: skip
"""What letters carry in scripts from Hebrew to Khmer; Python's \\w leaves these out."""
_WORD = re.compile(
    rf"(?P<cjk>[{_CJK}])"
    r"|(?P<number>\d+(?:[.,:]\d+)*)"
    rf"|(?P<word>[^\W\d_{_CJK}](?:[^\W\d_{_CJK}]|[{_VOWEL_SIGNS}])*)"
    r"|(?P<mark>[.,;:!?/&、。，！？；：\n…])"
)
_BREAKS = frozenset(".;!?。！？；\n…")
_PAUSES = _BREAKS | frozenset(",、，:：")


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number, ideograph or punctuation mark: folded ``text``, ``shape`` and span in the prompt.

    ``shape`` is word, number, cjk or mark.
    """

    text: str
    shape: str
    start: int
    end: int

    @property
    def is_break(self) -> bool:
        """Whether a clause ends here."""
        return self.text in _BREAKS

    @property
    def is_pause(self) -> bool:
        """Whether a clause or a list item ends here."""
        return self.text in _PAUSES


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt: ``text`` as plain text, ``folded`` of the same length without case and accents, and its ``words``."""

    text: str
    folded: str
    words: tuple[Word, ...]

    @classmethod
    def of(cls, text: str) -> Prompt:
        """Return the prompt of a text, split into words."""
        plain = plain_text(text)
        folded = fold(plain)
        return cls(plain, folded, words_of(folded))

    def places(self, start: int, end: int) -> range:
        """Return the places of the words that share characters ``start`` up to ``end`` (exclusive) of the text."""
        first = bisect_right(self.words, start, key=lambda word: word.end)
        return range(first, max(first, bisect_left(self.words, end, key=lambda word: word.start)))

    def written(self, first: int, last: int) -> str:
        """Return words ``first`` up to ``last`` (exclusive) as the user wrote them."""
        return self.text[self.words[first].start : self.words[last - 1].end]


def fold(text: str) -> str:
    """Return the text in lower case without Latin accents, character for character, so that the length is the same."""
    return text.lower() if text.isascii() else "".join(map(_fold_character, text))


# Cached per character: normalisation is slow, and a prompt uses few different characters.
@functools.lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    # One character must stay one, so that places in the folded text are places in the original.
    if character == "ß":
        return "s"
    lowered = character.lower()
    base = unicodedata.normalize("NFD", lowered)[0]
    if base.isascii():
        return base
    # Some letters, such as İ, become two in lower case; they stay as they are.
    return lowered if len(lowered) == 1 else character


def words_of(folded: str) -> tuple[Word, ...]:
    """Return the words of folded text; every ideograph and kana is a word of its own."""
    return tuple(Word(m.group(), m.lastgroup or "word", m.start(), m.end()) for m in _WORD.finditer(folded))


def phrase_key(phrase: str) -> str:
    """Return the key under which a phrase is found: its folded words, joined by spaces."""
    return " ".join(word.text for word in words_of(fold(plain_text(phrase))))


# Longer endings first, or "es" would never be cut after "s" was.
_ENDINGS = ("es", "en", "er", "em", "os", "as", "s", "e", "n", "a", "o")
_SHORTEST_STEM = 4


@functools.lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """Return a word without a common inflectional ending: ``tranquilas`` and ``tranquilo`` -> ``tranquil``."""
    # "Brass" and "bass" end in their own s.
    if not word.isascii() or word.endswith("ss"):
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def stem_key(key: str) -> str:
    """Return the key of an inflected phrase."""
    return " ".join(stem(word) for word in key.split(" "))
