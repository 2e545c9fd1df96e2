"""The spool of a mix, cut to its exact length: with a fade at the end, or wrapped around for a loop."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.spool import Spool
from tunesmith.composer.sound.voice import SAMPLE_RATE

SHORTEST_FADE, LONGEST_FADE = 0.05, 1.0
FADE_SHARE = 0.04


def faded(block: Samples, start: int, length: int) -> Samples:
    """Return ``block``, which begins at sample ``start`` of ``length``, with its share of the final fade."""
    seconds = min(LONGEST_FADE, max(SHORTEST_FADE, FADE_SHARE * length / SAMPLE_RATE))
    fade = min(length, round(seconds * SAMPLE_RATE))
    left = length - np.arange(start, start + block.shape[1])
    if not len(left) or left[-1] > fade:
        return block
    gain = np.sin(np.pi / 2 * np.clip(left / fade, 0, 1)) ** 2
    return np.asarray(block * gain.astype(np.float32), np.float32)


class MixBuffer:
    """A buffer that sums overlapping blocks in order and appends completed samples to ``spool``.

    A piece that ends is faded over the last 4 % of its length (0.05–1 s). What rings beyond the end of a loop is added
    to its beginning.
    """

    def __init__(self, spool: Spool, length: int, *, loop: bool) -> None:
        self.spool = spool
        self._length = length
        self._loop = loop
        self._tail: Samples = np.zeros((2, 0), np.float32)

    def add(self, start: int, block: Samples, complete: int) -> None:
        """Add ``block`` at sample ``start``; its first ``complete`` samples are final."""
        block[:, : self._tail.shape[1]] += self._tail
        self._tail = block[:, complete:].copy()
        self._commit(start, block[:, :complete])

    def finish(self, start: int) -> None:
        """Commit what still rings from sample ``start``."""
        self._commit(start, self._tail)
        self._tail = np.zeros((2, 0), np.float32)

    def _commit(self, start: int, block: Samples) -> None:
        ahead = max(0, min(block.shape[1], self._length - start))
        if ahead:
            self.spool.append(block[:, :ahead] if self._loop else faded(block[:, :ahead], start, self._length))
        if self._loop:
            self._fold(start + ahead, block[:, ahead:])

    def _fold(self, start: int, rest: Samples) -> None:
        # A long reverb over a short loop wraps around more than once.
        while rest.shape[1]:
            position = start % self._length
            taken = min(rest.shape[1], self._length - position)
            self.spool.add(position, rest[:, :taken])
            start, rest = start + taken, rest[:, taken:]
