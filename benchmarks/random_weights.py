"""RandomWeights: the weights of a model of its real size, drawn one by one: in memory is only the one that is read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Shapes = Mapping[str, tuple[int, ...]]
Scale = Callable[[str, NDArray[np.float32]], NDArray[np.float32]]
"""Takes the name of a weight and its numbers, normally distributed, to what suits its place."""


class RandomWeights(Mapping[str, NDArray[np.float32]]):
    """Weights of these shapes by name, each drawn when it is read, the same every time."""

    def __init__(self, shapes: Shapes, scale: Scale) -> None:
        self._shapes = shapes
        self._scale = scale

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        random = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
        return self._scale(name, random.standard_normal(self._shapes[name], dtype=np.float32))

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)
