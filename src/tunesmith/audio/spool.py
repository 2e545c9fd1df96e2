"""A spool of samples that grows: blocks are appended, read back, overwritten or added to."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np

from tunesmith.audio.buffer import Samples


class Spool:
    """Samples of any length, (channels, samples) float32."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._samples: Samples = np.zeros((channels, 0), np.float32)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, block: Samples) -> None:
        """Add ``block`` to the end."""
        needed = self._length + block.shape[1]
        if needed > self._samples.shape[1]:
            grown = np.zeros((self.channels, max(needed, 2 * self._samples.shape[1])), np.float32)
            grown[:, : self._length] = self._samples[:, : self._length]
            self._samples = grown
        self._samples[:, self._length : needed] = block
        self._length = needed

    def read(self, start: int, stop: int) -> Samples:
        """Return a copy of samples ``start`` to ``stop``."""
        return self._samples[:, start : min(stop, self._length)].copy()

    def write(self, start: int, block: Samples) -> None:
        """Replace what is there from sample ``start``."""
        self._samples[:, start : start + block.shape[1]] = block

    def add(self, start: int, block: Samples) -> None:
        """Add ``block`` to what is there from sample ``start``."""
        self._samples[:, start : start + block.shape[1]] += block

    def close(self) -> None:
        """Give the memory back."""
        self._samples = np.zeros((self.channels, 0), np.float32)
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
