"""The reference's tiny checkpoints of Stable Audio Open Small and 1.0, opened."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from reference_vectors import VECTORS
from stable_audio_models import PREFIXES, TinyCheckpoint, TokenizerFile

from tunesmith.neural.checkpoint.safetensors_file import read_safetensors
from tunesmith.neural.checkpoint.tensors import Tensor
from tunesmith.neural.checkpoint.weight_files import fold_weight_norm
from tunesmith.neural.t5 import T5Shape, read_t5
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    OobleckShape,
    StableAudioArchitecture,
)

TINY_T5 = T5Shape(36, 2, 2, 16, 48, 45, relative_buckets=8, relative_max_distance=16)
TINY_OOBLECK = OobleckShape(4, (1, 2, 4), (2, 4, 4), 4)
OPEN_SMALL = StableAudioArchitecture(
    diffusion=DiffusionShape(72, 2, 2, 4, 36, 36, qk_norm="ln", ffn_multiple=1.0),
    autoencoder=TINY_OOBLECK,
    text_encoder=TINY_T5,
    numbers=(NumberCondition("seconds_total", 0, 256, exponential=False),),
    objective="rf_denoiser",
    max_tokens=10,
    max_latents=24,
    sample_rate=640,
)
"""The architecture of ``sao_small``."""
OPEN_1_0 = StableAudioArchitecture(
    diffusion=DiffusionShape(72, 2, 2, 4, 36, 72, project_condition=False, ffn_multiple=1.0),
    autoencoder=TINY_OOBLECK,
    text_encoder=TINY_T5,
    numbers=(
        NumberCondition("seconds_start", 0, 512, exponential=False),
        NumberCondition("seconds_total", 0, 512, exponential=False),
    ),
    objective="v",
    max_tokens=10,
    max_latents=24,
    sample_rate=640,
)
"""The architecture of ``sao_1_0``."""
OPEN_MODELS = {"sao_small": OPEN_SMALL, "sao_1_0": OPEN_1_0}


@cache
def tiny_open_checkpoint(name: str) -> TinyCheckpoint:
    """Open the checkpoint of ``sao_small`` or ``sao_1_0``; the test is skipped where the files are not there."""
    folder = VECTORS / name / "checkpoint"
    if not folder.is_dir():
        pytest.skip(f"the reference's checkpoint is not here: {folder}")
    stored: dict[str, Tensor] = {**read_safetensors(folder / "model.safetensors")}
    _, text, tokenizer = read_t5(VECTORS / "t5-base")
    # The reference rounds the weights of T5 to float16, and computed these vectors with them in float32.
    weights = {name: tensor.read().astype(np.float16).astype(np.float32) for name, tensor in text.items()}
    for name_there, tensor in fold_weight_norm(stored).items():
        for theirs, ours in PREFIXES.items():
            if name_there.startswith(theirs):
                weights[ours + name_there.removeprefix(theirs)] = tensor.read()
    for part in ("preprocess_conv", "postprocess_conv"):
        weights[f"diffusion.{part}.weight"] = weights[f"diffusion.{part}.weight"][..., 0]
    return TinyCheckpoint(OPEN_MODELS[name], weights, TokenizerFile(tokenizer))
