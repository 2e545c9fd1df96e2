"""The reference's tiny checkpoint of Stable Audio 3, opened and converted."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from reference_vectors import VECTORS

from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensors import LazyWeights, Tensor
from tunesmith.neural.checkpoint.weight_files import fold_weight_norm
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)

THIRD_SMALL = StableAudioArchitecture(
    diffusion=DiffusionShape(
        72, 2, 2, 8, 32, 32, num_memory_tokens=3, local_width=9, qk_norm="rms", ffn_multiple=1.0
    ),
    autoencoder=SameShape(32, 2, 16, 96, 8, patch_size=8, patches=4),
    text_encoder=T5GemmaShape(32, 2, 2, 16, 48, 300, query_scalar=16.0),
    numbers=(NumberCondition("seconds_total", 0, 384, exponential=True),),
    objective="rf_denoiser",
    max_tokens=12,
    max_latents=200,
    sample_rate=320,
)  # fmt: skip
"""The architecture of ``sa3_small``."""
PREFIXES = {
    "model.model.": "diffusion.",
    "pretransform.model.": "autoencoder.",
    "conditioner.conditioners.": "conditioner.",
    "model.encoder.": "text_encoder.",
}


@dataclass(frozen=True)
class TokenizerFile:
    """A tokenizer to copy."""

    path: Path

    def write(self, target: Path) -> None:
        shutil.copyfile(self.path, target)


@dataclass(frozen=True)
class TinyCheckpoint:
    """What conversion reads."""

    architecture: StableAudioArchitecture
    weights: Mapping[str, npt.NDArray[np.float32]]
    tokenizer: TokenizerFile


@cache
def tiny_checkpoint() -> TinyCheckpoint:
    """Open the checkpoint of ``sa3_small``; the test is skipped where the files are not there."""
    folder = VECTORS / "sa3_small" / "checkpoint"
    if not folder.is_dir():
        pytest.skip(f"the reference's checkpoint is not here: {folder}")
    text = folder / "t5gemma-b-b-ul2"
    stored: dict[str, Tensor] = {**read_safetensors(folder / "model.safetensors")}
    stored |= read_safetensors(text / "model.safetensors")
    tensors: dict[str, Tensor] = {}
    for name, tensor in fold_weight_norm(stored).items():
        for theirs, ours in PREFIXES.items():
            if name.startswith(theirs):
                tensors[ours + name.removeprefix(theirs)] = tensor
    return TinyCheckpoint(THIRD_SMALL, _Flattened(tensors), TokenizerFile(text / "tokenizer.json"))


class _Flattened(LazyWeights):
    """Weights in which the convolutions of kernel 1 around the transformer are matrices."""

    def __getitem__(self, name: str) -> npt.NDArray[np.float32]:
        weight = super().__getitem__(name)
        return weight[..., 0] if name.endswith("process_conv.weight") else weight
