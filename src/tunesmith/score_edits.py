"""Edits of a piece's score, as texts of a request: ``chord 5=Fm7``, ``sections intro A A=8 outro``, ``transpose 2``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

MAX_BAR, MAX_SECTIONS, MAX_TRANSPOSE = 10_000, 200, 36
_FORMS = "chord BAR=NAME, sections NAME NAME=BARS … or transpose SEMITONES"
_CHORD = re.compile(r"[A-G][A-Za-z0-9#+]*(?:/[A-G][#b]?)?(?::\d+(?:\.\d+)?)?")
_SECTION = re.compile(r"([A-Za-z][\w'-]*)(?:=(\d{1,5}))?")
_MOST_CHORDS = 16


@dataclass(frozen=True, slots=True)
class ChordEdit:
    """Other chords for a bar, counted from 1: names that share the bar, or names with their lengths in beats."""

    bar: int
    chords: tuple[tuple[str, float | None], ...]

    def __str__(self) -> str:
        names = (name if beats is None else f"{name}:{beats:g}" for name, beats in self.chords)
        return f"chord {self.bar}={' '.join(names)}"


@dataclass(frozen=True, slots=True)
class SectionsEdit:
    """The sections in the order in which they sound; each a name and its number of bars, None for as many as before."""

    sections: tuple[tuple[str, int | None], ...]

    def __str__(self) -> str:
        names = (name if bars is None else f"{name}={bars}" for name, bars in self.sections)
        return f"sections {' '.join(names)}"


@dataclass(frozen=True, slots=True)
class TransposeEdit:
    """The whole piece so many semitones from where it was written."""

    semitones: int

    def __str__(self) -> str:
        return f"transpose {self.semitones}"


ScoreEdit = ChordEdit | SectionsEdit | TransposeEdit


def parse_edit(text: str) -> ScoreEdit:
    """Return the edit of a text; raise ValueError with the limit and the value."""
    kind, _, rest = text.strip().partition(" ")
    parsers: Mapping[str, Callable[[str], ScoreEdit]] = {
        "chord": _chord, "sections": _sections, "transpose": _transpose,
    }  # fmt: skip
    parse = parsers.get(kind.lower())
    if parse is None:
        raise ValueError(f"must be {_FORMS}, got {text[:40]!r}")
    return parse(rest.strip())


def edit_text(text: str) -> str:
    """Return an edit in its plain form; raise ValueError for one that is none."""
    return str(parse_edit(text))


def parse_edits(texts: Iterable[str]) -> tuple[ScoreEdit, ...]:
    """Return the edits of texts; raise ValueError for the first that is none."""
    return tuple(map(parse_edit, texts))


def _chord(text: str) -> ChordEdit:
    bar, equals, names = (part.strip() for part in text.partition("="))
    if not equals or not bar.isdecimal() or len(bar) > len(str(MAX_BAR)) or not 1 <= int(bar) <= MAX_BAR:
        raise ValueError(f"must be chord BAR=NAME with a bar from 1 to {MAX_BAR}, got 'chord {text[:40]}'")
    chords = tuple(_named_chord(word) for word in names.split())
    if not 1 <= len(chords) <= _MOST_CHORDS:
        raise ValueError(f"chord {bar}: must have 1 to {_MOST_CHORDS} chords, got {len(chords)}")
    if len({beats is None for _, beats in chords}) > 1:
        raise ValueError(f"chord {bar}: either all chords have a length in beats or none, got {names[:40]!r}")
    return ChordEdit(int(bar), chords)


def _named_chord(word: str) -> tuple[str, float | None]:
    if not _CHORD.fullmatch(word) or len(word) > 24:
        raise ValueError(f"must be a chord such as Fm7, C/E or Am:2, got {word[:24]!r}")
    name, _, beats = word.partition(":")
    if beats and not 0 < float(beats) <= 64:
        raise ValueError(f"a chord must last more than 0 and at most 64 beats, got {beats[:12]}")
    return name, float(beats) if beats else None


def _sections(text: str) -> SectionsEdit:
    words = text.split()
    if not 1 <= len(words) <= MAX_SECTIONS:
        raise ValueError(f"sections must be 1 to {MAX_SECTIONS}, got {len(words)}")
    found = [_SECTION.fullmatch(word) for word in words]
    for word, match in zip(words, found, strict=True):
        if match is None or (match[2] and not 1 <= int(match[2]) <= MAX_BAR):
            raise ValueError(f"a section must be NAME or NAME=BARS with 1 to {MAX_BAR} bars, got {word[:40]!r}")
    return SectionsEdit(tuple((match[1], int(match[2]) if match[2] else None) for match in found if match))


def _transpose(text: str) -> TransposeEdit:
    if not re.fullmatch(r"[+-]?\d{1,2}", text) or abs(int(text)) > MAX_TRANSPOSE:
        raise ValueError(f"transpose must be -{MAX_TRANSPOSE} to {MAX_TRANSPOSE} semitones, got {text[:20]!r}")
    return TransposeEdit(int(text))
