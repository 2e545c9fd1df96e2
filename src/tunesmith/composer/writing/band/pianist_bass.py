"""The left hand of a named pianist: in calm music it plays the bass, as a duo has no bowed bass beside the piano."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.instruments import instrument
from tunesmith.composer.writing.band.ensemble import Ensemble
from tunesmith.composer.writing.band.parts import PartAssignment, new_part

# A2: keyboards that reach no lower have no left hand of their own.
REACHES = 45
REGISTER, STYLES = 40, ("root", "octaves")
# Beside a right hand that was asked for.
LEFT_HAND_DB = 3.0


def with_pianist_bass(members: Sequence[PartAssignment], company: Ensemble) -> list[PartAssignment]:
    """Give the bass of calm music without a beat to the pianist that the prompt names, where it names no bass."""
    pianist = next((s.instrument for s in members if s.requested and _is_a_pianist(s.instrument)), None)
    basses = [member for member in members if member.part.role == "bass"]
    free = bool(basses) and not any(member.requested or member.part.core for member in basses)
    if pianist is None or not free or not company.is_calm or company.needs_drums:
        return list(members)
    part = new_part("bass", pianist, register=REGISTER, style=STYLES)
    hand = replace(basses[0], part=part, instrument=pianist, gain_db=LEFT_HAND_DB)
    return [hand if member is basses[0] else member for member in members if member not in basses[1:]]


def _is_a_pianist(name: str) -> bool:
    tool = instrument(name)
    return tool.family == "keys" and "piano" in name and tool.low <= REACHES
