"""OobleckDecoder: latents of Stable Audio Open to samples, the wide layers at once and the long ones in tiles.

latents  |..........................................|      one run of the head
hidden   |-----------|-----------|-----------|------|      one run of the tail a tile, with a little context
samples  |===========|===========|===========|======|      equal to one pass
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.sessions import LazySession, SessionOptions
from tunesmith.stable_audio.architecture import OobleckShape
from tunesmith.stable_audio.model_folder import AUTOENCODER_DECODER, AUTOENCODER_DECODER_TAIL
from tunesmith.stable_audio.oobleck_stages import OobleckStages

Array = NDArray[np.float32]

TILE_LATENTS = 8
"""Latents of a tile: long enough for little overlap, short enough for the cache."""


class OobleckDecoder:
    """The decoder of a model folder, its two graphs in memory from the first use on."""

    def __init__(self, folder: Path, shape: OobleckShape, options: SessionOptions) -> None:
        self._stages = OobleckStages.of(shape)
        self._head = LazySession(folder / AUTOENCODER_DECODER, options, keep=True)
        self._tail = LazySession(folder / AUTOENCODER_DECODER_TAIL, options, keep=True)

    def decode(self, latents: Array) -> Array:
        """Decode (latents, channels) to samples (2, latents x hop)."""
        hidden = self._head.run({"latents": np.ascontiguousarray(latents, np.float32)})
        step = TILE_LATENTS * self._stages.positions
        return np.concatenate([self._tile(hidden, at, at + step) for at in range(0, hidden.shape[2], step)], axis=1)

    def _tile(self, hidden: Array, start: int, stop: int) -> Array:
        """Decode the positions from start to stop."""
        stages = self._stages
        first, stop = max(0, start - stages.context), min(stop, hidden.shape[2])
        samples = self._tail.run({"hidden": np.ascontiguousarray(hidden[:, :, first : stop + stages.context])})
        return samples[:, (start - first) * stages.samples : (stop - first) * stages.samples]
