"""Edits of a document's text: fields are set where they stand, and every other line stays as a person wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from tunesmith.composer.score_file.document import ScorePosition, parse_document
from tunesmith.composer.theory import Meter
from tunesmith.errors import InvalidRequest, InvalidScore
from tunesmith.suggestions import did_you_mean

LINE_END = re.compile("[\n\x85\u2028\u2029]")
"""What ends a line in YAML; Python's splitlines knows more."""
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


@dataclass(frozen=True, slots=True)
class PartChange:
    """A ``field`` of the parts that ``which`` names (by name, role or instrument), set to ``value`` as YAML.

    ``option`` is the option that asked for it, for errors.
    """

    option: str
    which: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class ScoreChanges:
    """Changes of a document: its own fields as YAML by name, its parts, and chords by bar.

    Chords are as in the document (``1 Am 2, 3 F 2``), or one chord for the whole bar (``Am``).
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[PartChange] = ()
    chords: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Splice:
    """Text that replaces what lies between two places, each a line and a column from 0."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def edited_document(text: str, changes: ScoreChanges) -> str:
    """Return the document with the changes.

    Raises InvalidScore where it is not YAML, InvalidRequest where a change names no part.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    root = parse_document(text)
    fields = dict(root.pairs())
    splices = [_set(root.node, name, value, before="sections") for name, value in changes.fields.items()]
    parts = list(fields["parts"].items()) if "parts" in fields else []
    for change in changes.parts:
        named = _named(parts, change)
        splices += [_set(part.node, change.field, change.value, before="notes") for part in named]
    if changes.chords:
        splices += _chords(root, fields, changes.chords)
    return _spliced(text, splices)


def quoted(text: str) -> str:
    """Return a text as YAML: plain where it is one word, else in quotes."""
    return text if text and set(text) <= PLAIN and not text.isdecimal() else "'" + text.replace("'", "''") + "'"


def _named(parts: Sequence[ScorePosition], change: PartChange) -> list[ScorePosition]:
    """Return the parts with a name, else those of a role, else those with an instrument."""
    known: list[str] = []
    for key in ("name", "role", "instrument"):
        values = [(part, dict(part.pairs()).get(key)) for part in parts]
        named = [(part, value.text()) for part, value in values if value is not None]
        found = [part for part, name in named if name == change.which]
        if found:
            return found
        known += [name for _, name in named]
    near = did_you_mean(change.which, known) or f"; parts are {', '.join(known[: len(parts)])}"
    raise InvalidRequest(change.option, f"there is no part {change.which[:60]!r}{near}")


def _chords(root: ScorePosition, fields: Mapping[str, ScorePosition], chords: Mapping[int, str]) -> Iterable[_Splice]:
    beats = fields["meter"].read(Meter.parse).beats_per_bar if "meter" in fields else 4.0
    texts = {bar: text if " " in text.strip() else f"1 {text.strip()} {beats:g}" for bar, text in chords.items()}
    place = fields.get("chords")
    if place is None or not place.node.value:
        listed = ", ".join(f'{bar}: "{text}"' for bar, text in sorted(texts.items()))
        return [_set(root.node, "chords", f"{{{listed}}}", before="parts")]
    bars = [name for name, _ in place.pairs()]
    splices = []
    for bar, text in texts.items():
        following = next((name for name in bars if name.isdecimal() and int(name) > bar), "")
        splices.append(_set(place.node, str(bar), f'"{text}"', before=following))
    return splices


def _set(node: yaml.Node, name: str, value: str, before: str) -> _Splice:
    """Return what sets a field of a mapping: in place, or on a line of its own before another field."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise InvalidScore(f"must be a mapping to set {name!r}", line=node.start_mark.line + 1)
    for key, old in node.value:
        if key.value == name:
            end = (old.end_mark.line, old.end_mark.column)
            # A list or mapping on lines of its own ends where the next line begins.
            line_end = "\n" if end[1] <= key.start_mark.column and end[0] > key.start_mark.line else ""
            indent = " " * end[1] if line_end else ""
            return _Splice((key.start_mark.line, key.start_mark.column), end, f"{name}: {value}{line_end}{indent}")
    keys = [key for key, _ in node.value]
    if node.flow_style:
        first = node.value[0][1].end_mark
        return _Splice((first.line, first.column), (first.line, first.column), f", {name}: {value}")
    # The first field of a part shares its line with the dash, so nothing can come before it.
    anchor = next((key for key in keys[1:] if key.value == before), None)
    column = " " * keys[0].start_mark.column
    if anchor is None:
        last = node.end_mark
        line = last.line if last.column < keys[0].start_mark.column or last.column == 0 else last.line + 1
        return _Splice((line, 0), (line, 0), f"{column}{name}: {value}\n")
    line = anchor.start_mark.line
    return _Splice((line, 0), (line, 0), f"{column}{name}: {value}\n")


def _spliced(text: str, splices: Iterable[_Splice]) -> str:
    whole = text if text.endswith("\n") else f"{text}\n"
    starts = [0, *(match.end() for match in LINE_END.finditer(whole))]
    places = [(starts[s.start[0]] + s.start[1], starts[s.end[0]] + s.end[1], s.text) for s in splices]
    # From the end, so that the places before stay where they are.
    for start, end, new in sorted(places, key=lambda place: place[:2], reverse=True):
        whole = whole[:start] + new + whole[end:]
    return whole
