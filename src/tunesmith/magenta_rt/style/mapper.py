"""The mapper: from the embedding of a text to one that a recording of it might have.

A text says less than a recording, so the mapper draws: another seed is another reading of the same words.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.magenta_rt.model_folder import MAPPED, MAPPER
from tunesmith.neural.graph_chain import GraphChain
from tunesmith.neural.sessions import SessionOptions

Array = NDArray[np.float32]


class Mapper:
    """The mapper of a model folder."""

    def __init__(self, folder: Path, options: SessionOptions) -> None:
        self._graphs = GraphChain(folder, MAPPER, MAPPED, options)

    def map(self, text: Array, seed: int) -> Array:
        """Return an embedding (width,) of length 1 for that of a text (width,); ``seed`` is 0 to 2**32 - 1."""
        # The reference draws with this generator, and users know its interpretations by their seeds.
        noise = np.random.RandomState(seed).randn(len(text)).astype(np.float32)
        mapped = self.apply(text, noise)
        return mapped / np.linalg.norm(mapped)

    def apply(self, text: Array, noise: Array) -> Array:
        """Return the network's output (width,) for an embedding (width,) and noise (width,)."""
        return self._graphs.run({"text": text, "noise": noise})
