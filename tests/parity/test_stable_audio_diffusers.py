"""The transformer of Stable Audio 3 against diffusers', a second implementation of it.

Known differences, kept out of the comparison or bounded by its tolerance: diffusers' norms have an epsilon of 1e-6 in
the blocks, where the reference has 1e-5; without a local condition it leaves out the row that the reference adds; its
autoencoder has attention in bands and a mapping of kernel 1, so it cannot load SAME-S. The tolerance is that of Fourier
features of 10,000 cycles in float32, whose frequencies differ in their last bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from lazy_modules import LazyModule

from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)
from tunesmith.stable_audio.checkpoint.canonical_shapes import conditioner_shapes, diffusion_shapes
from tunesmith.stable_audio.conversion import graphs_of
from tunesmith.stable_audio.fourier_features import fourier_features
from tunesmith.stable_audio.model_folder import CONDITIONING, LOCAL_CONDITION, TRANSFORMER, write_architecture
from tunesmith.stable_audio.networks import StableAudioNetworks

torch: Any = LazyModule("torch")
diffusers: Any = LazyModule("diffusers.models.transformers.transformer_stable_audio3")

Array = npt.NDArray[np.float32]
MODEL = StableAudioArchitecture(
    DiffusionShape(128, 3, 2, 16, 32, 32, num_memory_tokens=5, local_width=17, qk_norm="rms"),
    SameShape(32, 2, 16, 96, 16), T5GemmaShape(32, 1, 2, 16, 48, 300),
    (NumberCondition("seconds_total", 0, 384, exponential=True),), "rf_denoiser", max_tokens=24, max_latents=64,
)  # fmt: skip
SECONDS, LEVEL = 12.0, 0.4
RENAMED = {
    "transformer.layers.": "transformer_blocks.", "transformer.project_in": "proj_in",
    "transformer.project_out": "proj_out", "transformer.memory_tokens": "memory_tokens",
    "transformer.global_cond_embedder": "global_cond_embedder", "ff.ff.0.proj": "ff.proj_in", "ff.ff.2": "ff.proj_out",
}  # fmt: skip


def random_weights() -> dict[str, Array]:
    rng, shapes = np.random.default_rng(5), diffusion_shapes(MODEL.diffusion)
    shapes |= conditioner_shapes(MODEL.diffusion, MODEL.numbers)
    scale = {name: 0.3 if len(shape) < 2 else math.prod(shape[1:]) ** -0.5 for name, shape in shapes.items()}
    weights = {
        name: (scale[name] * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()
    }  # fmt: skip
    return {name: weight + (1 if name.endswith("gamma") else 0) for name, weight in weights.items()}


def opened(folder: Path, weights: Mapping[str, Array]) -> StableAudioNetworks:
    for name in (TRANSFORMER, CONDITIONING, LOCAL_CONDITION):
        with GraphBuilder(folder / name) as builder:
            graphs_of(MODEL)[name](builder, MODEL, weights)
    write_architecture(folder, MODEL)
    return StableAudioNetworks(folder)


def peer(weights: Mapping[str, Array]) -> Any:
    shape = MODEL.diffusion
    model = diffusers.StableAudio3DiTModel(
        io_channels=shape.latent_channels, embed_dim=shape.hidden_size, depth=shape.num_layers,
        num_heads=shape.num_heads, cond_token_dim=shape.condition_width, global_cond_dim=shape.global_width,
        local_add_cond_dim=shape.local_width, num_memory_tokens=shape.num_memory_tokens,
        use_differential_attention=False,
    ).eval()  # fmt: skip
    state = model.state_dict()
    for name, weight in weights.items():
        own = name.removeprefix("diffusion.")
        for ours, theirs in RENAMED.items():
            own = own.replace(ours, theirs)
        if name.startswith("diffusion."):
            state[own] = torch.from_numpy(weight).reshape(state[own].shape)
    state["prompt_padding_embedding"] = torch.from_numpy(weights["conditioner.prompt.padding_embedding"])
    model.load_state_dict(state)
    return model


@pytest.mark.parametrize("inpainting", [False, True])
def test_the_velocity_is_that_of_diffusers(tmp_path: Path, *, inpainting: bool) -> None:
    weights, rng = random_weights(), np.random.default_rng(6)
    networks, other = opened(tmp_path, weights), peer(weights)
    states = rng.standard_normal((7, 32)).astype(np.float32)
    latents, kept = (rng.standard_normal((20, 16)).astype(np.float32) for _ in range(2))
    mask = np.zeros(20, np.float32)
    mask[:8] = inpainting
    kept *= mask[:, None]
    local = networks.local_condition(mask, kept) if inpainting else None
    ours = networks.velocity(latents, LEVEL, networks.condition(states, SECONDS), local)

    stem = "conditioner.seconds_total.embedder.embedding.1."
    features = fourier_features(np.array([SECONDS / 384], np.float32))[0]
    seconds = weights[f"{stem}weight"] @ features + weights[f"{stem}bias"]
    padding = np.tile(weights["conditioner.prompt.padding_embedding"], (MODEL.max_tokens - 7, 1))
    context = np.concatenate([states, padding, seconds[None]])
    given = [latents.T, context, seconds, np.concatenate([mask[:, None], kept], axis=1).T]
    x, cross, number, added = (torch.from_numpy(np.ascontiguousarray(array))[None] for array in given)
    with torch.inference_mode():
        theirs = other(x, torch.tensor([LEVEL]), cross, number, local_add_cond=added).sample[0].numpy().T
    assert np.linalg.norm(ours - theirs) / np.linalg.norm(theirs) < 1e-3
