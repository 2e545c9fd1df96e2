"""Dry stems: parts grouped by a key and rendered side by side, block by block."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from tunesmith.composer.render.intensity import audible_parts
from tunesmith.composer.render.part_renderer import PartPlayer, Voices
from tunesmith.composer.score import Part, Score

StemKey = TypeVar("StemKey", bound=Hashable)
# (stems, 2, samples).
StemBlock = npt.NDArray[np.float32]


class DryStems(Generic[StemKey]):
    """The dry sound of a score, one stem per key that ``key`` gives its audible parts, in score order."""

    def __init__(
        self, score: Score, voices: Voices, key: Callable[[Part], StemKey], *, intensity: float | None = None
    ) -> None:
        groups: dict[StemKey, list[PartPlayer]] = {}
        for part in audible_parts(score, intensity):
            groups.setdefault(key(part), []).append(PartPlayer(score, part, voices, intensity))
        self.keys = tuple(groups)
        self._groups = tuple(groups.values())

    @property
    def finished(self) -> bool:
        """Whether every stem has decayed."""
        return all(player.finished for players in self._groups for player in players)

    def fill(self, block: StemBlock, start: int) -> None:
        """Render the sound from sample ``start`` into ``block``, (stems, 2, n); blocks must come in order."""
        block[:] = 0
        for target, players in zip(block, self._groups, strict=True):
            for player in players:
                player.add_to(target, start)
