"""What any Runner must keep to, by comparison with transformers' decoder on the same weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from checkpoints import CODEBOOK_SIZE, make_musicgen
from numpy.typing import NDArray
from shapes import TINY, TINY_MELODY

from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.runner import Runner

STEREO = replace(
    TINY, decoder=replace(TINY.decoder, num_codebooks=8), delays=(0, 0, 1, 1, 2, 2, 3, 3), audio_channels=2
)
KINDS = {"text": TINY, "stereo": STEREO, "melody": TINY_MELODY}
Array = NDArray[Any]


class Reference:
    """transformers' decoder: what it says after any row's whole history."""

    def __init__(self, kind: str) -> None:
        self.architecture = KINDS[kind]
        model_kind: Any = "melody" if kind == "melody" else "text"
        self.model = make_musicgen(kind=model_kind, audio_channels=self.architecture.audio_channels)
        self.weights = {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}

    def logits(self, codes: Array, states: Array | None) -> Array:
        """Return the last position's (codebooks, size) after codes (codebooks, positions)."""
        import torch

        hidden = np.zeros((1, self.architecture.decoder.hidden_size), np.float32) if states is None else states
        with torch.inference_mode():
            result = self.model.decoder(
                input_ids=torch.from_numpy(codes), encoder_hidden_states=torch.from_numpy(hidden)[None]
            )
        return np.asarray(result.logits[:, -1])


class Row:
    """One row of the runner beside its history."""

    def __init__(self, runner: Runner, index: int, states: Array | None, capacity: int = 400) -> None:
        self.runner, self.index, self.states = runner, index, states
        self.codes = np.zeros((runner.architecture.decoder.num_codebooks, 0), np.int64)
        if runner.architecture.chroma:
            runner.open_row(index, None, capacity)
            assert states is not None
            runner.extend_prefix(index, states)
        else:
            runner.open_row(index, states, capacity)

    def extend(self, codes: Array) -> Array:
        self.codes = np.concatenate([self.codes, codes], axis=1)
        return self.runner.extend(self.index, codes)


def some_codes(architecture: Architecture, positions: int, seed: int) -> Array:
    codebooks = architecture.decoder.num_codebooks
    return np.random.default_rng(seed).integers(0, CODEBOOK_SIZE + 1, (codebooks, positions))


def some_states(architecture: Architecture, positions: int, seed: int) -> Array:
    size = (positions, architecture.decoder.hidden_size)
    return np.random.default_rng(seed).standard_normal(size).astype(np.float32)


def rows_of(runner: Runner) -> list[Row]:
    """Open a conditional, an unconditional and another conditional row, with texts of different lengths."""
    shape = runner.architecture
    nothing = some_states(shape, 6, 9) * 0 if shape.chroma else None
    return [
        Row(runner, 0, some_states(shape, 6, 1)),
        Row(runner, 1, nothing),
        Row(runner, 2, some_states(shape, 23, 2)),
    ]


def step(runner: Runner, rows: list[Row], seed: int, advancing: list[bool]) -> Array:
    codes = np.stack([some_codes(runner.architecture, 1, seed + row.index)[:, 0] for row in rows])
    for row, chosen, moves in zip(rows, codes, advancing, strict=True):
        if moves:
            row.codes = np.concatenate([row.codes, chosen[:, None]], axis=1)
    return runner.step(codes, np.array(advancing)).copy()
