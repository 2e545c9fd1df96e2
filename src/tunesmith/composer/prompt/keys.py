"""Keys in a prompt: letters, solfège, and German, Japanese and Chinese names."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.prompt.lexicon import Match, lookup, of_kind
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.text import Prompt
from tunesmith.composer.theory import LETTERS

_SHARP = r"\s?[#♯]|[- ]?sharp|[- ]sostenido|[- ]sustenido|[- ]diese"
_FLAT = r"\s?♭|b(?![a-z])|[- ]?flat|[- ]bemol"
_SOLFEGE = {"do": 0, "ut": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11}
_GERMAN = {
    "c": 0, "cis": 1, "des": 1, "d": 2, "dis": 3, "es": 3, "e": 4, "f": 5, "fis": 6, "ges": 6, "g": 7, "gis": 8,
    "as": 8, "a": 9, "ais": 10, "b": 10, "h": 11,
}  # fmt: skip
_IROHA = {"ハ": 0, "ニ": 2, "ホ": 4, "ヘ": 5, "へ": 5, "ト": 7, "イ": 9, "ロ": 11}
_IROHA_KEY = re.compile(r"([嬰変])?([ハニホヘへトイロ])(長調|短調)")
_SHORT_MINOR = re.compile(r"(?<![A-Za-z])([A-G])([#♯b♭])?m(?![A-Za-z'’])")
_KEY_LABELS = r"(?:(?<![a-z])(?:key signature|key|tonart|tonalidade?|tonalite|tono|tom)(?![a-z])|キー|調性?|调性?|主调)"
_KEY_LINKS = r"(?:\s*(?:[:=→は为為是]|->|-(?=\s)|\b(?:of|is|de|ist|est|e|es)\b))+\s*"
_KEY_OF = re.compile(
    rf"(?:{_KEY_LABELS}{_KEY_LINKS}|in key |キー|tonart )([升降♯♭#])?"
    rf"(?:([a-g])({_SHARP}|{_FLAT})?|(do|ut|re|mi|fa|sol|la|si)({_SHARP}|{_FLAT})?)(m(?:in)?(?![a-z])|m?aj(?![a-z]))?(?![a-z])"
)
_IN_LETTER = re.compile(
    r"\b(?:in|en|em) ([A-G])([#♯b♭]|[ -](?:flat|sharp|bemol|sostenido))?"
    r"(?=[^\S\n]*(?:[^\w\s'’#&+/-]|[-/]\s|\n|$)|\s*(?:$|(?:with|for|at|on|mit|con|avec|com)\b))"
)
_IN_SOLFEGE = re.compile(rf"\b(?:in|en|em) (do|ut|re|mi|fa|sol|la|si)({_SHARP}|{_FLAT})(?![a-z])")
_SIGNED = re.compile(r"(?<![\w♯♭#])([A-G])([♯♭#])(?![\w♯♭#])")
_CHINESE = re.compile(r"(?<![A-Za-z])([升降♯♭#b])?([A-Ga-g])([#♯b♭])?\s?([大小]?[调調])(?![性式整子])")
_NUMBERED_NOTATION = re.compile(r"(?<!\d)1\s?=\s?([b♭♯#])?([A-G])([b♭♯#])?(?![a-z])")
_MODE_ONLY = re.compile(
    r"\b(minor|major)[ -](?:key|scale|mode|tonality|chords)|modo (mayor|menor|maior)|mode (majeur|mineur)"
    r"|\bin (minor|major)\b|\bin (moll|dur)\b|\ben (mineur|majeur)\b"
    r"|(短調|小调|小調|マイナーキー)|(長調|大调|大調|メジャーキー)"
)
_MINOR_WORDS = frozenset({"minor", "menor", "mineur", "moll", "短調", "小调", "小調", "マイナーキー"})
_BEFORE_ARTICLE = re.compile(r"(?:\b(?:in|key of|key|en|em)\s+)$")


@dataclass(frozen=True, slots=True)
class RequestedKey:
    """A key that a prompt names: ``tonic`` pitch class and ``mode``, None where left open, and its span in the text."""

    tonic: int | None
    mode: str | None
    start: int
    end: int


@functools.cache
def _mode_names() -> dict[str, str]:
    return {
        phrase: name
        for phrase, entries in index()["phrases"].items()
        if "mode:" in entries
        for kind, name in lookup(phrase)
        if kind == "mode"
    }


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of lettered and of solfège keys; ideographs of modes have no spaces between them."""
    # Longer names first: the alternation takes the first that matches, even where it is only a prefix.
    modes = sorted((mode if mode.isascii() else mode.replace(" ", "") for mode in _mode_names()), key=len, reverse=True)
    mode = "(" + "|".join(re.escape(name).replace("\\ ", "[- ]") for name in modes) + ")(?![a-z])"
    lettered = rf"(?<![a-z'’])([升降])?([a-g])({_SHARP}|{_FLAT})?[\s-]*{mode}"
    solfege = rf"(?<![a-z])(do|ut|re|mi|fa|sol|la|si)({_SHARP}|{_FLAT})?[\s-]+{mode}"
    return re.compile(lettered), re.compile(solfege)


def _mode(text: str) -> str:
    names = _mode_names()
    plain = text.replace("-", " ")
    return names.get(plain) or names[" ".join(plain)]


def _shift(accidental: str | None) -> int:
    if not accidental:
        return 0
    return 1 if re.fullmatch(f"(?:{_SHARP}|升|嬰)", accidental) else -1


def read_keys(prompt: Prompt, matches: Sequence[Match]) -> tuple[RequestedKey, ...]:
    """Return the keys that the prompt names, the last one last; without any, the mode alone, or nothing."""
    found = [*_german(prompt), *_lettered(prompt), *_solfege(prompt), *_iroha(prompt), *_short(prompt),
             *_labelled(prompt), *_chinese(prompt)]  # fmt: skip
    # Letters with a bare accidental are ambiguous, so they count only where nothing clearer is said.
    if found or (found := _signed(prompt, matches)):
        return _without_overlaps(sorted(found, key=lambda key: (key.end, -key.start)))
    alone = _mode_alone(prompt, matches)
    return () if alone is None else (alone,)


def _without_overlaps(found: Sequence[RequestedKey]) -> tuple[RequestedKey, ...]:
    """Keep, of keys that share words, the one that ends last."""
    # Several patterns may match one key; the match that ends last has read the most of it.
    return tuple(w for i, w in enumerate(found) if not any(later.start < w.end for later in found[i + 1 :]))


def key_warnings(keys: Sequence[RequestedKey], text: str) -> tuple[str, ...]:
    """Return a warning where the prompt names several keys."""
    if len({(key.tonic, key.mode or "major") for key in keys}) < 2:
        return ()
    return (f"key: the prompt names several; the last, {text[keys[-1].start : keys[-1].end].strip()!r}, is used",)


def _german(prompt: Prompt) -> list[RequestedKey]:
    pattern = r"(?<![a-z])([cdefgah]is|des|es|ges|as|[a-h])[\s-]*(dur|moll)(?![a-z])"
    return [
        RequestedKey(_GERMAN[m[1]], "major" if m[2] == "dur" else "minor", *m.span())
        for m in re.finditer(pattern, prompt.folded)
        if m[1] in _GERMAN
    ]


def _lettered(prompt: Prompt) -> list[RequestedKey]:
    found = []
    for m in _patterns()[0].finditer(prompt.folded):
        tonic = (LETTERS[m[2].upper()] + _shift(m[3]) + _shift(m[1])) % 12
        # German names are read by their own rules: its B is B flat.
        if m[4] in ("dur", "moll") or _is_article(prompt, m):
            continue
        found.append(RequestedKey(tonic, _mode(m[4]), *m.span()))
    return found


def _is_article(prompt: Prompt, match: re.Match[str]) -> bool:
    """Return whether the a of ``a minor key`` or ``a major win`` is the article, not a note."""
    if match[2] != "a" or match[3] or match[1]:
        return False
    # "a minor key" is any minor key, "A minor key" one on A.
    if re.match(r"[ -](?:key|scale|mode|tonality|chord)", prompt.folded[match.end() :]):
        return prompt.text[match.start(2)] == "a"
    rest = prompt.folded[match.end() :].strip()
    before = prompt.folded[: match.start()]
    return (
        prompt.text[match.start(2)] == "a" and bool(rest) and rest[0].isalpha() and not _BEFORE_ARTICLE.search(before)
    )


def _solfege(prompt: Prompt) -> list[RequestedKey]:
    return [
        RequestedKey((_SOLFEGE[m[1]] + _shift(m[2])) % 12, _mode(m[3]), *m.span())
        for m in _patterns()[1].finditer(prompt.folded)
        # "La mayor parte" is Spanish for "most of", not A major.
        if not prompt.folded[m.start() :].startswith("la mayor parte")
    ]


def _iroha(prompt: Prompt) -> list[RequestedKey]:
    return [
        RequestedKey((_IROHA[m[2]] + _shift(m[1])) % 12, "major" if m[3] == "長調" else "minor", *m.span())
        for m in _IROHA_KEY.finditer(prompt.text)
    ]


def _short(prompt: Prompt) -> list[RequestedKey]:
    found = []
    for m in _SHORT_MINOR.finditer(prompt.text):
        rest = prompt.text[m.end() :].lstrip()
        # "Am" and "Em" also begin English and Portuguese sentences.
        is_word = m[0] in ("Am", "Em") and rest[:1].isalpha() and not _BEFORE_ARTICLE.search(prompt.folded[: m.start()])
        if not is_word:
            found.append(RequestedKey((LETTERS[m[1]] + _shift(m[2])) % 12, "minor", *m.span()))
    letters = _IN_LETTER.finditer(prompt.text)
    found += [
        RequestedKey((_SOLFEGE[m[1]] + _shift(m[2])) % 12, None, *m.span()) for m in _IN_SOLFEGE.finditer(prompt.folded)
    ]
    return found + [RequestedKey((LETTERS[m[1].upper()] + _shift(m[2])) % 12, None, *m.span()) for m in letters]


def _labelled(prompt: Prompt) -> list[RequestedKey]:
    """Read a note after a word for key: ``key: Cm``, ``tonalidad: si bemol``, ``キーはG``."""
    found = []
    for m in _KEY_OF.finditer(prompt.folded):
        # "Key: a calm one" has an article, not a note.
        is_article = m[2] == "a" and not (m[3] or m[6]) and prompt.text[m.start(2)] == "a"
        if is_article and re.match(r"\s*[^\W\d]", prompt.folded[m.end() :]):
            continue
        tonic = LETTERS[m[2].upper()] if m[2] else _SOLFEGE[m[4]]
        mode = None if m[6] is None else "minor" if m[6] in ("m", "min") else "major"
        found.append(RequestedKey((tonic + _shift(m[1]) + _shift(m[3] or m[5])) % 12, mode, *m.span()))
    return found


def _chinese(prompt: Prompt) -> list[RequestedKey]:
    """Read ``♭B大调``, ``#f小调``, ``G调``, and the ``1=G`` of numbered notation."""
    found = []
    for m in _CHINESE.finditer(prompt.text):
        # 大 or 小 before 调 tells the mode; a bare 调 leaves it open.
        mode = {"大": "major", "小": "minor"}.get(m[4][0])
        found.append(RequestedKey((LETTERS[m[2].upper()] + _shift(m[1]) + _shift(m[3])) % 12, mode, *m.span()))
    return found + [
        RequestedKey((LETTERS[m[2]] + _shift(m[1]) + _shift(m[3])) % 12, "major", *m.span())
        for m in _NUMBERED_NOTATION.finditer(prompt.text)
    ]


def _signed(prompt: Prompt, matches: Sequence[Match]) -> list[RequestedKey]:
    """Read a note with its accidental alone, ``B♭``; that of a ``B♭ clarinet`` is no key."""
    starts = {prompt.words[m.first].start for m in matches if m.names("instrument") or m.names("family")}
    return [
        RequestedKey((LETTERS[m[1]] + _shift(m[2])) % 12, None, *m.span())
        for m in _SIGNED.finditer(prompt.text)
        # Transposing instruments carry a note in their name.
        if not any(m.end() < start and prompt.text[m.end() : start].strip(" ") == "" for start in starts)
    ]


def _mode_alone(prompt: Prompt, matches: Sequence[Match]) -> RequestedKey | None:
    for match, name in of_kind(matches, "mode"):
        if name not in ("major", "minor"):
            return RequestedKey(None, name, prompt.words[match.first].start, prompt.words[match.last - 1].end)
    # The mode may come without a tonic: "in a minor key".
    found = _MODE_ONLY.search(prompt.folded)
    if found is None:
        return None
    word = next(group for group in found.groups() if group)
    return RequestedKey(None, "minor" if word in _MINOR_WORDS else "major", *found.span())
