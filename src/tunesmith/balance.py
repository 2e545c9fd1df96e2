"""The balance of a piece: who plays louder or softer than usual, and where, as ``drums=3`` and ``all=-4@50-100``."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_LEVEL_DB = 12.0
"""The most that a level may be changed by, up or down, in dB."""
EVERYONE = "all"
"""The name of a level that holds for every part."""
_LEVEL = re.compile(r"\s*([^=@]+?)\s*=\s*([+-]?\d+(?:\.\d+)?)(?:\s*@\s*(\d{1,3})\s*-\s*(\d{1,3})\s*%?)?\s*")
_WHOLE = (0, 100)


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A change of level by ``gain_db`` for the players that ``name`` covers, from ``start`` to ``end`` percent."""

    name: str
    gain_db: float
    start: int = 0
    end: int = 100

    @property
    def is_everywhere(self) -> bool:
        """Whether it holds for the whole piece."""
        return (self.start, self.end) == _WHOLE

    @property
    def stretch(self) -> str:
        """The level and its place without the name: ``4@50-100``."""
        return f"{self.gain_db:g}" + ("" if self.is_everywhere else f"@{self.start}-{self.end}")

    def __str__(self) -> str:
        return f"{self.name}={self.stretch}"


def parse_level(text: str) -> LevelChange:
    """Parse ``NAME=DB`` or ``NAME=DB@START-END``, START and END in percent; raise ValueError with the limit."""
    found = _LEVEL.fullmatch(text)
    if found is None:
        raise ValueError(f"must be NAME=DB or NAME=DB@START-END, such as drums=3 or all=4@50-100, got {text!r}")
    level = LevelChange(found[1], float(found[2]), int(found[3] or 0), int(found[4] or 100))
    if not abs(level.gain_db) <= MAX_LEVEL_DB:
        raise ValueError(f"must be -{MAX_LEVEL_DB:g} to {MAX_LEVEL_DB:g} dB, got {level.gain_db:g} for {level.name!r}")
    if not 0 <= level.start < level.end <= 100:
        raise ValueError(f"must lie from 0 to 100 percent in ascending order, got {level.start}-{level.end}")
    return level


def parse_stretch(text: str) -> LevelChange:
    """Parse ``DB`` or ``DB@START-END`` as a level of everyone; raise ValueError as ``parse_level``."""
    return parse_level(f"{EVERYONE}={text}")


def level_text(text: str) -> str:
    """Return a level in its plain form; raise ValueError for one that is none."""
    return str(parse_level(text))
