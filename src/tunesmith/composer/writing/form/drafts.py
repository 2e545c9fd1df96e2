"""Section drafts: sections before they have a place, as genres write them, and how many bars one may have."""

from __future__ import annotations

from dataclasses import dataclass

OPENINGS = frozenset({"intro"})
CLOSINGS = frozenset({"outro", "ending"})
CONTRASTS = ("bridge", "break", "C", "D")
"""Sections that contrast with the themes A and B; C and D have themes of their own."""
STRONG = frozenset({"B", "drop"})
"""Sections in which a piece peaks."""
BUILD_FROM = 0.75
"""Energy of the fullest section from which a roll may lead into it."""


@dataclass(frozen=True, slots=True)
class SectionDraft:
    """A section before it has a place."""

    name: str
    bars: int
    energy: float


def read_draft(text: str) -> SectionDraft:
    """Read ``name:bars:energy``, as genre files write it."""
    name, bars, energy = text.split(":")
    return SectionDraft(name, int(bars), float(energy))
