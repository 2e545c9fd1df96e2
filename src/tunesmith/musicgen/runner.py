"""Runner: the model's arithmetic on one device, for a fixed number of batch rows.

A *row* is one slot of the batch: its keys and values, its own length, and its condition. A guided sequence takes two
rows, an unguided one takes one. The engine assigns the rows; a runner only computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture

Codes = NDArray[np.int64]
"""Codebook indices, (codebooks, frames) unless stated otherwise."""
States = NDArray[np.float32]
"""Conditioning in the decoder's width, (positions, hidden)."""
Logits = NDArray[np.float32]
"""Scores of every code except the special one, (…, codebooks, codebook size)."""
Samples = NDArray[np.float32]
"""Audio, (channels, samples)."""


class Runner(Protocol):
    """The protocol of a device that runs the text encoder and the decoder."""

    @property
    def architecture(self) -> Architecture:
        """The sizes and rules of the model."""
        ...

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        ...

    def encode_text(self, token_ids: Sequence[int]) -> States:
        """Encode one text and project it to the decoder's width: (tokens, hidden)."""
        ...

    def encode_chroma(self, chroma: NDArray[np.float32]) -> States:
        """Project a chromagram (frames, bins) to the decoder's width; only for an architecture with chroma."""
        ...

    def open_row(self, row: int, states: States | None, capacity: int) -> None:
        """Clear the row, reserve ``capacity`` positions, and let it attend to ``states`` (None: to nothing).

        An architecture with chroma has no cross-attention: ``states`` is None, see ``extend_prefix``.
        """
        ...

    def extend_prefix(self, row: int, states: States) -> None:
        """Append positions given as states instead of codes (the prefix of a melody model)."""
        ...

    def extend(self, row: int, codes: Codes) -> Logits:
        """Append delayed codes (codebooks, positions); return the last position's logits (codebooks, size)."""
        ...

    def step(self, codes: Codes, advancing: NDArray[np.bool_]) -> Logits:
        """Append one position of codes (rows, codebooks) to rows 0 … n - 1; return the logits (rows, codebooks, size).

        Rows that are not ``advancing`` (rows,) stay as they are, and their logits have no meaning. The result is valid
        until the next call.
        """
        ...

    def close_row(self, row: int) -> None:
        """Free the row; the runner releases its memory when all rows are free."""
        ...

    def copy_row(self, source: int, target: int) -> None:
        """Copy the source row to the target row."""
        ...


class Codec(Protocol):
    """The protocol of a codec: samples to codes and back, in the model's codebook layout (8 interleaved for stereo)."""

    def encode(self, samples: Samples) -> Codes:
        """Encode audio at the codec's rate: (audio channels, samples) -> (codebooks, frames)."""
        ...

    def decode(self, codes: Codes) -> Samples:
        """Decode all codes: (codebooks, frames) -> (audio channels, frames x hop)."""
        ...

    def stream(self) -> CodecStream:
        """Start decoding chunk by chunk."""
        ...


class CodecStream(Protocol):
    """The protocol of a streaming decoder; its joined chunks equal the one-shot decode to 1e-3."""

    def feed(self, codes: Codes) -> Samples:
        """Add the next frames (codebooks, frames); return the samples that are settled now, possibly none."""
        ...

    def finish(self) -> Samples:
        """Return the remaining samples."""
        ...
