"""The stems of a composition in groups, each group summed: what stays of it beside the sound of a model."""

from __future__ import annotations

from collections.abc import Collection

from tunesmith.audio import Audio, Spool
from tunesmith.composer.composition import Composition
from tunesmith.composer.score import Score
from tunesmith.errors import InvalidRequest
from tunesmith.generator import CancelCheck, ProgressCallback, never_cancelled, no_progress


def check_roles(composition: Composition, roles: tuple[str, ...]) -> None:
    """Raise InvalidRequest for a role that no part of the composition has."""
    there = sorted({part.role for part in composition.score.parts})
    missing = [role for role in roles if role not in there]
    if missing:
        problem = f"the composition has no part with the role {missing[0]!r}; it has {', '.join(there)}"
        raise InvalidRequest("keep_stems", problem)


def parts_with_roles(score: Score, roles: Collection[str]) -> frozenset[str]:
    """Return the names of the parts that have one of these roles."""
    return frozenset(part.name for part in score.parts if part.role in roles)


def all_stems(score: Score) -> frozenset[str]:
    """Return the names of all stems: those of the parts and of the ambience."""
    return frozenset({*(part.name for part in score.parts), *(sound.name for sound in score.ambience)})


def summed_stems(
    composition: Composition, *groups: Collection[str],
    progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled,
) -> tuple[Spool, ...]:  # fmt: skip
    """Return the sum of the stems of each group of names, (2, samples) at the composer's rate, before the master.

    Every stem is rendered once, however many groups have it. Raises GenerationCancelled.
    """
    sums = tuple(Spool(2) for _ in groups)
    for name, stem in composition.stems(progress, cancelled):
        for total, names in zip(sums, groups, strict=True):
            if name in names:
                _add(total, stem)
    return sums


def _add(spool: Spool, audio: Audio) -> None:
    at = 0
    for block in audio.blocks():
        spool.add(at, block)
        at += block.shape[1]
