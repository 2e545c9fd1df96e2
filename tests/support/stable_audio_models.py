"""The reference's tiny checkpoint of Stable Audio 3, opened."""

from __future__ import annotations

from functools import cache

import pytest
from reference_vectors import VECTORS

from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)
from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint, open_checkpoint

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


@cache
def tiny_checkpoint() -> StableAudioCheckpoint:
    """Open the checkpoint of ``sa3_small``; the test is skipped where the files are not there."""
    folder = VECTORS / "sa3_small" / "checkpoint"
    if not folder.is_dir():
        pytest.skip(f"the reference's checkpoint is not here: {folder}")
    return open_checkpoint(folder)
