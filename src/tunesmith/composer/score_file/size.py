"""Measures a YAML document before it is composed: how deep it is nested, and how large its aliases make it."""

from __future__ import annotations

from typing import Any

import yaml

from tunesmith.errors import InvalidScore

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_DEPTH = 40  # a score needs 6; libyaml's composer recurses on the C stack and would crash where Python raises
MAX_GROWTH = 4
"""How many times its own length a document may have once its aliases are written out."""

ALWAYS_ALLOWED_CHARACTERS = 200_000
"""A document may grow to this size whatever its own length."""


def check_size(text: str) -> None:
    """Raise InvalidScore where a document is nested too deep, or larger than allowed with its aliases written out."""
    most = max(ALWAYS_ALLOWED_CHARACTERS, MAX_GROWTH * len(text))
    sizes: dict[str, int | None] = {}  # by anchor; None while its node is open
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]  # the anchor of each, and the size of what was in it so far
    for event in yaml.parse(text, Loader=Loader):
        size = 0
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, 0))
            if event.anchor:
                sizes[event.anchor] = None
            if len(open_nodes) > MAX_DEPTH + 1:
                raise InvalidScore("not a score: it is nested too deep", line=_line(event))
            continue
        if isinstance(event, yaml.AliasEvent):
            size = _alias_size(event, sizes)
        elif isinstance(event, yaml.ScalarEvent):
            size = len(event.value) + 1
            _remember(sizes, event.anchor, size)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
            size += 1
            _remember(sizes, anchor, size)
        anchor, before = open_nodes[-1]
        open_nodes[-1] = anchor, before + size
        if before + size > most:
            problem = f"its aliases make it larger than {most} characters; write fewer, or the notes themselves"
            raise InvalidScore(problem, line=_line(event))


def _alias_size(event: yaml.AliasEvent, sizes: dict[str, int | None]) -> int:
    anchor = event.anchor or ""
    size = sizes.get(anchor, 0)
    if size is None:
        raise InvalidScore(f"alias {anchor[:60]!r} contains itself", line=_line(event))
    return size


def _remember(sizes: dict[str, int | None], anchor: str | None, size: int) -> None:
    if anchor:
        sizes[anchor] = size


def _line(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark else None
