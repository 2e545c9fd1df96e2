"""A small model without weights: its scores depend on all that a row has heard, where, and what it is conditioned on.

Any mistake in rows, positions, order or conditions changes the codes. A row is computed the same way alone or beside
others, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from shapes import TINY

from tunesmith.musicgen.architecture import Architecture, ChromaShape
from tunesmith.musicgen.runner import CodecStream, Codes, Logits, Samples, States
from tunesmith.neural.t5_tokenizer import TextTokens

HIDDEN = 16
TOY = replace(
    TINY,
    decoder=replace(TINY.decoder, hidden_size=HIDDEN),
    codec=replace(TINY.codec, sample_rate=8000, ratios=(8, 5, 4)),
    window_seconds=1.2,
)
"""50 frames a second, windows of 60 frames, 160 samples a frame."""
TOY_MELODY = replace(TOY, chroma=ChromaShape(fft_size=256, hop=64, num_frames=7))
TOY_STEREO = replace(
    TOY,
    decoder=replace(TOY.decoder, num_codebooks=8),
    delays=(0, 0, 1, 1, 2, 2, 3, 3),
    audio_channels=2,
)


@dataclass
class Row:
    """What a row remembers."""

    memory: NDArray[np.float64]
    condition: NDArray[np.float64]
    capacity: int
    length: int = 0


@dataclass
class ToyRunner:
    """A Runner. ``fails_on`` makes the named method raise for the given row, token or (for steps) call number."""

    architecture: Architecture = TOY
    num_rows: int = 4
    fails_on: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        shape, random = self.architecture.decoder, np.random.default_rng(5)
        self._embeddings = random.normal(size=(shape.num_codebooks, shape.codebook_size + 1, HIDDEN))
        self._heads = random.normal(size=(shape.num_codebooks, HIDDEN, shape.codebook_size))
        self._words = random.normal(size=(256, HIDDEN))
        self._chroma = random.normal(size=(12, HIDDEN))
        self.rows: dict[int, Row] = {}

    def encode_text(self, token_ids: Sequence[int]) -> States:
        """Look the tokens up."""
        self.calls.append("encode_text")
        if self.fails_on.get("encode_text") in token_ids:
            raise RuntimeError("this text breaks the encoder")
        return self._words[list(token_ids)].astype(np.float32)

    def encode_chroma(self, chroma: NDArray[np.float32]) -> States:
        """Project the bins."""
        return (chroma @ self._chroma).astype(np.float32)

    def open_row(self, row: int, states: States | None, capacity: int) -> None:
        """Empty the row."""
        self.calls.append("open_row")
        self._fail("open_row", row)
        assert 0 <= row < self.num_rows
        heard = np.zeros(HIDDEN) if states is None else states.astype(np.float64).sum(axis=0) + len(states)
        self.rows[row] = Row(np.zeros(HIDDEN), heard, capacity)

    def extend_prefix(self, row: int, states: States) -> None:
        """Hear the states in turn."""
        self.calls.append("extend_prefix")
        for state in states:
            self._hear(self.rows[row], state.astype(np.float64))

    def extend(self, row: int, codes: Codes) -> Logits:
        """Hear the codes in turn."""
        self.calls.append("extend")
        for column in codes.T:
            self._hear(self.rows[row], self._embed(column))
        return self._scores(self.rows[row])

    def step(self, codes: Codes, advancing: NDArray[np.bool_]) -> Logits:
        """Hear one column in each row that advances."""
        self.calls.append("step")
        self._fail("step", self.calls.count("step"))
        shape = self.architecture.decoder
        logits = np.full((len(codes), shape.num_codebooks, shape.codebook_size), np.nan, np.float32)
        for row in np.flatnonzero(advancing).tolist():
            self._hear(self.rows[row], self._embed(codes[row]))
            logits[row] = self._scores(self.rows[row])
        return logits

    def close_row(self, row: int) -> None:
        """Forget the row."""
        self.rows.pop(row, None)

    def copy_row(self, source: int, target: int) -> None:
        """Copy the row."""
        self.calls.append("copy_row")
        self._fail("copy_row", source)
        assert target not in self.rows, "a taken row was overwritten"
        self.rows[target] = replace(self.rows[source])

    def _hear(self, row: Row, state: NDArray[np.float64]) -> None:
        row.length += 1
        assert row.length <= row.capacity, "a row ran over"
        row.memory = 0.9 * row.memory + state * np.cos(row.length + np.arange(HIDDEN))

    def _embed(self, column: Codes) -> NDArray[np.float64]:
        assert column.min() >= 0, "an open code was fed"
        return np.sum([table[code] for table, code in zip(self._embeddings, column, strict=True)], axis=0)  # type: ignore[no-any-return]

    def _scores(self, row: Row) -> Logits:
        state = np.tanh(row.memory / 4 + row.condition / 4)
        return np.stack([(state * head.T).sum(axis=1) for head in self._heads]).astype(np.float32)

    def _fail(self, method: str, value: int) -> None:
        if self.fails_on.get(method) == value:
            raise RuntimeError(f"{method} broke")


@dataclass
class ToyCodec:
    """A Codec: the samples of a frame hold its first code, scaled; encoding reads it back."""

    architecture: Architecture = TOY

    def encode(self, samples: Samples) -> Codes:
        """Read the codes back."""
        frames = samples.shape[1] // self.architecture.codec.hop
        size = self.architecture.decoder.codebook_size
        levels = samples[0, : frames * self.architecture.codec.hop].reshape(frames, -1).mean(axis=1)
        first = np.clip(np.round(levels * size), 0, size - 1).astype(np.int64)
        return np.stack([(first + k) % size for k in range(self.architecture.decoder.num_codebooks)])

    def decode(self, codes: Codes) -> Samples:
        """Write the codes as levels."""
        levels = codes[: self.architecture.audio_channels] / np.float32(self.architecture.decoder.codebook_size)
        return np.repeat(levels, self.architecture.codec.hop, axis=1).astype(np.float32)

    def stream(self) -> CodecStream:
        """Decode piece by piece, half a second late."""
        return ToyStream(self)


class ToyStream:
    """Holds the last frames back, as a codec that looks ahead does."""

    def __init__(self, codec: ToyCodec, look_ahead: int = 25) -> None:
        self._codec = codec
        self._look_ahead = look_ahead
        self._held = np.zeros((codec.architecture.decoder.num_codebooks, 0), np.int64)

    def feed(self, codes: Codes) -> Samples:
        """Take more codes."""
        self._held = np.concatenate([self._held, codes], axis=1)
        settled = max(self._held.shape[1] - self._look_ahead, 0)
        samples = self._codec.decode(self._held[:, :settled])
        self._held = self._held[:, settled:]
        return samples

    def finish(self) -> Samples:
        """Return the rest."""
        return self._codec.decode(self._held)


class ToyTokenizer:
    """Every word is a token, at most ``most`` of them."""

    def __init__(self, most: int = 64) -> None:
        self._most = most

    def encode(self, text: str) -> TextTokens:
        """Number the words."""
        ids = tuple(sum(word.encode()) % 255 + 1 for word in text.split())
        return TextTokens((*ids[: self._most], 0), max(len(ids) - self._most, 0))
