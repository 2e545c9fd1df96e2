"""The size limits of a YAML document before it is composed: its nesting, and the length of its expanded aliases."""

from __future__ import annotations

from typing import Any

import yaml

from tunesmith.errors import InvalidScore

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A score needs 6; libyaml's composer recurses on the C stack and would crash where Python raises.
MAX_DEPTH = 40
MAX_GROWTH = 4
"""How many times its own length a document may have with its aliases expanded."""

ALWAYS_ALLOWED_CHARACTERS = 200_000
"""The length in characters that a document may always have, whatever its own length."""


def check_size(text: str) -> None:
    """Raise InvalidScore where a document is nested too deep, or too large with its aliases expanded."""
    most = max(ALWAYS_ALLOWED_CHARACTERS, MAX_GROWTH * len(text))
    # By anchor; None while its node is open.
    sizes: dict[str, int | None] = {}
    # The anchor of each open node, and the size of its content so far.
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]
    # Events come before aliases are expanded, so a document of exponential size is refused at a linear cost.
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
