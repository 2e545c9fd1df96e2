"""CountedWeights: the weights of a checkpoint, which report how many of them have been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]


class CountedWeights(Weights):
    """Weights that report progress: the share of tensors read so far."""

    def __init__(self, weights: Weights, progress: Callable[[float], None]) -> None:
        self._weights = weights
        self._progress = progress
        self._seen: set[str] = set()

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        self._seen.add(name)
        # Only the finished folder reports 1.0.
        self._progress(min(len(self._seen) / len(self._weights), 0.99))
        return self._weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)
