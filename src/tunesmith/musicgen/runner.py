"""Runner: the model's arithmetic on one device, for a fixed number of rows.

A *row* is one place in the batch: its keys and values so far, at its own length, and what it is conditioned on. A
guided sequence takes two rows, an unguided one takes one. The engine decides who sits where; a runner only computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture

Codes = NDArray[np.int64]
"""Codebook indices, (codebooks, frames) unless said otherwise."""
States = NDArray[np.float32]
"""Conditioning in the decoder's width, (positions, hidden)."""
Logits = NDArray[np.float32]
"""Scores of every code but the special one, (…, codebooks, codebook size)."""
Samples = NDArray[np.float32]
"""Sound, (channels, samples)."""


class Runner(Protocol):
    """Runs the text encoder and the decoder."""

    @property
    def architecture(self) -> Architecture:
        """The model's sizes and rules."""
        ...

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        ...

    def encode_text(self, token_ids: Sequence[int]) -> States:
        """Encode one text and project it to the decoder's width: (tokens, hidden)."""
        ...

    def encode_chroma(self, chroma: NDArray[np.float32]) -> States:
        """Project a chromagram (frames, bins) to the decoder's width; only where the architecture has chroma."""
        ...

    def open_row(self, row: int, states: States | None, capacity: int) -> None:
        """Empty the row, for at most ``capacity`` positions, and let it attend to ``states`` (None: to nothing).

        Where the architecture has chroma there is no cross-attention: ``states`` is None, see ``extend_prefix``.
        """
        ...

    def extend_prefix(self, row: int, states: States) -> None:
        """Append positions that are given as states instead of codes (the prefix of a melody model)."""
        ...

    def extend(self, row: int, codes: Codes) -> Logits:
        """Append delayed codes (codebooks, positions) to the row; return the last position's (codebooks, size)."""
        ...

    def step(self, codes: Codes, advancing: NDArray[np.bool_]) -> Logits:
        """Append one position of codes (rows, codebooks) to rows 0 … n - 1; return (rows, codebooks, size).

        Rows that are not ``advancing`` (rows,) stay as they are, and what is returned for them has no meaning.
        The result is only valid until the next call.
        """
        ...

    def close_row(self, row: int) -> None:
        """Say that the row is free; once all are, the runner gives their memory back."""
        ...

    def copy_row(self, source: int, target: int) -> None:
        """Make the target row equal to the source row."""
        ...


class Codec(Protocol):
    """Turns samples into codes and back; all in the model's own codebook layout (8 interleaved for stereo)."""

    def encode(self, samples: Samples) -> Codes:
        """Encode sound at the codec's rate, (audio channels, samples) -> (codebooks, frames)."""
        ...

    def decode(self, codes: Codes) -> Samples:
        """Decode it all: (codebooks, frames) -> (audio channels, frames x hop)."""
        ...

    def stream(self) -> CodecStream:
        """Start decoding piece by piece."""
        ...


class CodecStream(Protocol):
    """Decodes codes as they come; the pieces joined equal the one-shot decode to 1e-3."""

    def feed(self, codes: Codes) -> Samples:
        """Take the next frames (codebooks, frames); return the samples that are settled by now, perhaps none."""
        ...

    def finish(self) -> Samples:
        """Return the rest."""
        ...
