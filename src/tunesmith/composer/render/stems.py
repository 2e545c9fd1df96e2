"""Dry stems: parts grouped by a key and rendered side by side, block by block."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from tunesmith.audio.buffer import Samples
from tunesmith.composer.render.intensity import audible_parts
from tunesmith.composer.render.part_renderer import PartPlayer, Voices
from tunesmith.composer.render.render_threads import RenderThreads
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
        players = [player for group in self._groups for player in group]
        # The longest first: a long part that begins last would keep the other threads waiting.
        self._longest_first = sorted(players, key=lambda player: -player.work)

    @property
    def finished(self) -> bool:
        """Whether every stem has decayed."""
        return all(player.finished for players in self._groups for player in players)

    def fill(self, block: StemBlock, start: int, threads: RenderThreads) -> None:
        """Render the sound from sample ``start`` into ``block``, (stems, 2, n); blocks must come in order."""
        parts: dict[PartPlayer, Future[Samples]] = {
            player: threads.start(partial(_rendered, player, start, block.shape[2])) for player in self._longest_first
        }
        # Summed in score order, whatever the order in which the parts are done.
        for target, players in zip(block, self._groups, strict=True):
            target[:] = parts[players[0]].result()
            for player in players[1:]:
                target += parts[player].result()


def _rendered(player: PartPlayer, start: int, length: int) -> Samples:
    sound = np.zeros((2, length), np.float32)
    player.add_to(sound, start)
    return sound
