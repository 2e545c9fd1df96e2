"""The reference's tiny checkpoints of Stable Audio Open Small and 1.0, opened."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from reference_vectors import VECTORS

from tunesmith.neural.t5 import T5Shape, read_t5
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    OobleckShape,
    StableAudioArchitecture,
)
from tunesmith.stable_audio.checkpoint.checkpoint import (
    StableAudioCheckpoint,
    needed_companions,
    open_checkpoint,
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
def tiny_open_checkpoint(name: str) -> StableAudioCheckpoint:
    """Open the checkpoint of ``sao_small`` or ``sao_1_0``; the test is skipped where the files are not there."""
    folder, text = VECTORS / name / "checkpoint", VECTORS / "t5-base"
    if not folder.is_dir():
        pytest.skip(f"the reference's checkpoint is not here: {folder}")
    checkpoint = open_checkpoint(folder, dict.fromkeys(needed_companions(folder), text))
    _, rounded, _ = read_t5(text)
    # The reference rounds the weights of T5 to float16, and computed these vectors with them in float32.
    weights = {
        name: weight.astype(np.float16).astype(np.float32) if name in rounded else weight
        for name, weight in checkpoint.weights.items()
    }
    return replace(checkpoint, weights=weights)
