"""Stable Audio 3 small on one GPU: a step of this package's torch networks beside diffusers', in turn, random weights.

python benchmarks/stable_audio_gpu.py [--repeats 5]
python benchmarks/stable_audio_gpu.py --device cpu --tiny     (proves that it runs; its numbers mean nothing)

A step takes its latents from the host and gives its velocity back on both sides. What differs: ours has the keys and
values of the prompt from before the first step, one key for the padding, and replays a captured graph. Speed does not
depend on the weights' values.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
import torch
from numpy.typing import NDArray

from hardware import print_result
from musicgen_gpu import allocated, begin
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)
from tunesmith.stable_audio.checkpoint.canonical_shapes import (
    autoencoder_shapes,
    conditioner_shapes,
    diffusion_shapes,
    t5gemma_shapes,
)
from tunesmith.stable_audio.torch_runner import TorchNetworks

Array = NDArray[np.float32]
Step = Callable[[Array, float], Array]
TOKENS, LEVELS = 24, (1.0, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05)
JOBS = {"10s": (1, 172), "30s": (1, 387), "120s": (1, 1292), "10s_batch_8": (8, 172)}
"""Rows and latents of what is measured."""
TINY_JOBS = {"one": (1, 12), "batch": (2, 12)}


def make_architecture(*, is_tiny: bool) -> StableAudioArchitecture:
    """Return the published sizes, or tiny ones."""
    diffusion = DiffusionShape(1024, 20, 16, 256, 768, 768, num_memory_tokens=64, local_width=257, qk_norm="rms")
    same, text = SameShape(768, 6, 64, 2304, 256), T5GemmaShape(768, 12, 12, 64, 2048, 256_000)
    if is_tiny:
        diffusion = DiffusionShape(128, 2, 2, 16, 64, 64, num_memory_tokens=4, local_width=17, qk_norm="rms")
        same, text = SameShape(64, 2, 32, 96, 16), T5GemmaShape(64, 1, 2, 32, 96, 300)
    numbers = (NumberCondition("seconds_total", 0, 384, exponential=True),)
    return StableAudioArchitecture(diffusion, same, text, numbers, "rf_denoiser", max_tokens=256, max_latents=1292)


def random_weights(architecture: StableAudioArchitecture) -> dict[str, Array]:
    """Return random weights of a model's shapes, under our names."""
    assert isinstance(architecture.text_encoder, T5GemmaShape)
    shapes = {
        **diffusion_shapes(architecture.diffusion), **autoencoder_shapes(architecture.autoencoder),
        **conditioner_shapes(architecture.diffusion, architecture.numbers),
        **t5gemma_shapes(architecture.text_encoder),
    }  # fmt: skip
    random = np.random.Generator(np.random.PCG64(0))
    return {
        name: random.standard_normal(shape, dtype=np.float32) * np.float32(prod(shape[1:]) ** -0.5)
        for name, shape in shapes.items()
    }


def our_step(networks: TorchNetworks, rows: int) -> Step:
    """Return a step of ours, conditioned as for a piece."""
    states = np.ones((TOKENS, networks.architecture.diffusion.condition_width), np.float32)
    conditionings, nothing = [networks.condition(states, 30.0)] * rows, [None] * rows
    return lambda latents, level: networks.velocities(latents, level, conditionings, nothing)


def their_step(architecture: StableAudioArchitecture, device: str, kind: torch.dtype, rows: int) -> Step:
    """Return a step of diffusers' model of the same sizes."""
    from diffusers.models.transformers.transformer_stable_audio3 import StableAudio3DiTModel

    shape = architecture.diffusion
    model = StableAudio3DiTModel(
        io_channels=shape.latent_channels, embed_dim=shape.hidden_size, depth=shape.num_layers,
        num_heads=shape.num_heads, cond_token_dim=shape.condition_width, global_cond_dim=shape.global_width,
        local_add_cond_dim=shape.local_width, num_memory_tokens=shape.num_memory_tokens,
        use_differential_attention=False,
    ).to(device, kind)  # fmt: skip
    context = torch.randn(rows, architecture.max_tokens + 1, shape.condition_width, device=device, dtype=kind)
    seconds = torch.randn(rows, shape.global_width, device=device, dtype=kind)

    def step(latents: Array, level: float) -> Array:
        with torch.inference_mode():
            x = torch.from_numpy(latents).to(device, kind).transpose(1, 2)
            local = torch.zeros(rows, shape.local_width, latents.shape[1], device=device, dtype=kind)
            levels = torch.full((rows,), level, device=device)
            found = model(x, levels, context, seconds, local_add_cond=local).sample
            return np.asarray(found.transpose(1, 2).float().cpu().numpy())

    return step


def seconds_of(step: Step, latents: Array) -> list[float]:
    """Time a walk of eight steps."""
    times = []
    for level in LEVELS:
        began = time.perf_counter()
        step(latents, level)
        times.append(time.perf_counter() - began)
    return times


def measure(device: str, repeats: int, *, is_tiny: bool) -> dict[str, Any]:
    """Return the median seconds of a step by engine, precision and job; engines take turns."""
    architecture = make_architecture(is_tiny=is_tiny)
    weights = random_weights(architecture)
    random, result = np.random.default_rng(1), dict[str, Any]()
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        before = allocated(device)
        networks = TorchNetworks(architecture, weights, Path(), device, dtype=kind)  # type: ignore[arg-type]
        for job, (rows, count) in (TINY_JOBS if is_tiny else JOBS).items():
            latents = random.standard_normal((rows, count, architecture.diffusion.latent_channels), dtype=np.float32)
            steps = {"ours": our_step(networks, rows), "diffusers": their_step(architecture, device, kind, rows)}
            times: dict[str, list[float]] = {engine: [] for engine in steps}
            for turn in range(repeats + 1):
                for engine, step in steps.items():
                    found = seconds_of(step, latents)
                    # The first turn warms up, and captures.
                    times[engine] += found if turn else []
            for engine, found in times.items():
                result[f"{engine}_{name}_{job}_ms_per_step"] = 1e3 * median(found)
                print(f"{engine:10} {name:9} {job:12} {1e3 * median(found):8.2f} ms a step")
        result[f"ours_{name}_mb"] = allocated(device) - before
        del networks
    return result


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, to prove that it runs")
    arguments = parser.parse_args()
    begin(arguments.device, "diffusers", is_tiny=arguments.tiny)
    result = measure(arguments.device, 1 if arguments.tiny else arguments.repeats, is_tiny=arguments.tiny)
    if arguments.device == "cuda":
        result["gpu"] = torch.cuda.get_device_name()
    print_result({"benchmark": "stable_audio_gpu", **result})


if __name__ == "__main__":
    main()
