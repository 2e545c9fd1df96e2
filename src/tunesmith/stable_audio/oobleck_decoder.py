"""OobleckDecoder: latents of Stable Audio Open to samples, the wide layers at once and the long ones in tiles.

latents  |..........................................|      one run of the head, on every core
hidden   |-----------|-----------|-----------|------|      one run of the tail a tile, each on a core of its own
samples  |===========|===========|===========|======|      equal to one pass
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.sessions import LazySession, SessionOptions, open_session, usable_cores
from tunesmith.stable_audio.architecture import OobleckShape
from tunesmith.stable_audio.model_folder import AUTOENCODER_DECODER, AUTOENCODER_DECODER_TAIL
from tunesmith.stable_audio.oobleck_stages import OobleckStages

Array = NDArray[np.float32]

TILE_LATENTS = 8
"""Latents of a tile: long enough for little overlap, short enough for the cache."""


class OobleckDecoder:
    """The decoder of a model folder, its two graphs in memory from the first use on.

    Tiles run side by side because ONNX Runtime computes sines on one core only.
    """

    def __init__(self, folder: Path, shape: OobleckShape, options: SessionOptions) -> None:
        self._stages = OobleckStages.of(shape)
        self._head = LazySession(folder / AUTOENCODER_DECODER, options, keep=True)
        self._tail_path = folder / AUTOENCODER_DECODER_TAIL
        self._options = options

    def decode(self, latents: Array) -> Array:
        """Decode (latents, channels) to samples (2, latents x hop)."""
        hidden = self._head.run({"latents": np.ascontiguousarray(latents, np.float32)})
        step = TILE_LATENTS * self._stages.positions
        starts = range(0, hidden.shape[3], step)
        # Open it before several threads do.
        tail = self._tail
        with ThreadPoolExecutor(self._options.num_threads or usable_cores()) as pool:
            tiles = pool.map(lambda start: self._tile(tail, hidden, start, start + step), starts)
            return np.concatenate(list(tiles), axis=1)

    @cached_property
    def _tail(self) -> Any:
        # Its arena is not given back after a run: it is small, and the next tile needs it again.
        return open_session(self._tail_path, replace(self._options, num_threads=1))

    def _tile(self, tail: Any, hidden: Array, start: int, stop: int) -> Array:
        """Decode the positions from start to stop."""
        stages = self._stages
        first, stop = max(0, start - stages.context), min(stop, hidden.shape[3])
        heard = np.ascontiguousarray(hidden[..., first : stop + stages.context])
        samples: Array = tail.run(None, {"hidden": heard})[0]
        return samples[:, (start - first) * stages.samples : (stop - first) * stages.samples]
