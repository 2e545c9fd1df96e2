"""Makes Stable Audio Open Small of its real size with random weights, as a pull does: answers one line of JSON.

python -m stable_audio_parts.open_small_worker MODEL_FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from random_weights import RandomWeights
from stable_audio_parts.checkpoint import scaled, write_tokenizer
from tunesmith.neural.t5 import T5Shape, tensor_shapes
from tunesmith.neural.t5_tokenizer import END
from tunesmith.stable_audio.architecture import DiffusionShape, NumberCondition, OobleckShape, StableAudioArchitecture
from tunesmith.stable_audio.checkpoint.canonical_shapes import autoencoder_shapes, conditioner_shapes, diffusion_shapes
from tunesmith.stable_audio.checkpoint.checkpoint import StableAudioCheckpoint
from tunesmith.stable_audio.checkpoint.tokenizer_file import TokenizerSource
from tunesmith.stable_audio.conversion import convert
from tunesmith.stable_audio.self_check import quantize_within_bfloat16

TEXT = T5Shape(768, 12, 12, 64, 3072, 32_128)
OPEN_SMALL = StableAudioArchitecture(
    diffusion=DiffusionShape(1024, 16, 8, 64, 768, 768, qk_norm="ln"),
    autoencoder=OobleckShape(128, (1, 2, 4, 8, 16), (2, 4, 4, 8, 8), 64),
    text_encoder=TEXT,
    numbers=(NumberCondition("seconds_total", 0, 256, exponential=False),),
    objective="rf_denoiser",
    max_tokens=64,
    max_latents=256,
)
QUIET = 0.02


def _scaled(name: str, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    # As in any network, norms are near 1.
    if name.endswith("norm.weight"):
        return 1 + np.float32(QUIET) * scaled(name, numbers)
    return scaled(name, numbers)


def main(folder: Path) -> None:
    """Convert and check, and say what that took."""
    start, shapes = time.perf_counter(), diffusion_shapes(OPEN_SMALL.diffusion)
    shapes |= conditioner_shapes(OPEN_SMALL.diffusion, OPEN_SMALL.numbers)
    shapes |= autoencoder_shapes(OPEN_SMALL.autoencoder) | tensor_shapes(TEXT)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = folder.with_suffix(".tokenizer.json")
    write_tokenizer(tokenizer, end=END)
    weights = RandomWeights(shapes, _scaled)
    checkpoint = StableAudioCheckpoint(OPEN_SMALL, weights, TokenizerSource(tokenizer, TEXT.vocabulary_size))
    convert(checkpoint, folder, "int8", lambda _: None)
    check = quantize_within_bfloat16(folder, OPEN_SMALL, weights, lambda _: None)
    print(json.dumps({"seconds": time.perf_counter() - start, "self_check": asdict(check)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
