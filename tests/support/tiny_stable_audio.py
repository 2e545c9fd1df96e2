"""Stable Audio in the sizes of the reference's tiny checkpoints: architectures, and stand-ins for the networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from checkpoints import VOCABULARY_SIZE, write_tokenizer

from tunesmith.neural.t5 import T5Shape
from tunesmith.stable_audio.architecture import (
    DiffusionShape,
    NumberCondition,
    OobleckShape,
    SameShape,
    StableAudioArchitecture,
    T5GemmaShape,
)

Array = npt.NDArray[np.float32]

THIRD = StableAudioArchitecture(
    diffusion=DiffusionShape(72, 2, 2, 8, 32, 32, num_memory_tokens=3, local_width=9, qk_norm="rms"),
    autoencoder=SameShape(72, 2, 36, 144, 8, patch_size=2),
    text_encoder=T5GemmaShape(32, 2, 2, 16, 64, 300),
    numbers=(NumberCondition("seconds_total", 0, 384, exponential=True),),
    objective="rf_denoiser",
    max_tokens=12,
    max_latents=1292,
    sample_rate=320,
)
REAL_THIRD = StableAudioArchitecture(
    diffusion=DiffusionShape(1024, 20, 16, 256, 768, 768, num_memory_tokens=64, local_width=257, qk_norm="rms"),
    autoencoder=SameShape(768, 6, 64, 2304, 256),
    text_encoder=T5GemmaShape(768, 12, 12, 64, 2048, 256_000),
    numbers=(NumberCondition("seconds_total", 0, 384, exponential=True),),
    objective="rf_denoiser",
    max_tokens=256,
    max_latents=1292,
)
OPEN_SMALL = StableAudioArchitecture(
    diffusion=DiffusionShape(72, 2, 2, 4, 36, 36, qk_norm="ln"),
    autoencoder=OobleckShape(8, (1, 2, 4), (2, 4, 4), 4),
    text_encoder=T5Shape(36, 2, 2, 18, 72, 300),
    numbers=(NumberCondition("seconds_total", 0, 256, exponential=False),),
    objective="rf_denoiser",
    max_tokens=10,
    max_latents=24,
    sample_rate=640,
)


class PairedAutoencoder:
    """An autoencoder with the reach of SAME-S: pairs of latents, then pairs shifted by one, then one patch more.

    The first two channels carry the mean of the two audio channels over each latent, so that sound comes back in
    shape. ``windows`` are the numbers of latents of each call.
    """

    def __init__(self, architecture: StableAudioArchitecture = THIRD) -> None:
        self.hop, self.channels = architecture.hop_size, architecture.diffusion.latent_channels
        self.windows: list[int] = []

    def decode(self, latents: Array) -> Array:
        self.windows.append(len(latents))
        padding = np.zeros((len(latents) % 2, latents.shape[1]), np.float32)
        mixed = _shifted_pairs(np.concatenate([latents, padding]))[: len(latents)]
        samples = np.repeat(mixed[:, :2], self.hop, axis=0).T.copy()
        # The last patch of a latent hears the first of the next, as in a convolution.
        samples[:, self.hop - 1 : -1 : self.hop] += 0.1 * samples[:, self.hop :: self.hop]
        return np.asarray(samples, np.float32)

    def encode(self, samples: Array) -> Array:
        assert samples.shape[1] % (2 * self.hop) == 0
        self.windows.append(samples.shape[1] // self.hop)
        means = samples.reshape(2, -1, self.hop).mean(axis=2).T
        latents = np.zeros((len(means), self.channels), np.float32)
        latents[:, :2] = means
        return _shifted_pairs(latents)


def _shifted_pairs(latents: Array) -> Array:
    mixed = _pairs(latents)
    return _pairs(np.concatenate([mixed[:1], mixed, mixed[-1:]]))[1:-1]


def _pairs(latents: Array) -> Array:
    pairs = latents.reshape(-1, 2, latents.shape[1])
    return np.asarray((pairs + 0.1 * np.tanh(pairs[:, ::-1])).reshape(latents.shape), np.float32)


STAND_IN = replace(THIRD, autoencoder=SameShape(72, 2, 36, 144, 8, patch_size=20), sample_rate=3_200)
"""Ten latents a second, at a sample rate that files may have."""
NO_INPAINTING = replace(STAND_IN, diffusion=replace(STAND_IN.diffusion, local_width=0))


class StandInNetworks(PairedAutoencoder):
    """Networks without weights: every condition moves the latents, and kept latents come back nearly as they are.

    ``batches`` are the rows of each call, of which there may be 300 latents in all; ``seconds`` are those of each
    conditioning.
    """

    def __init__(self, folder: Path, architecture: StableAudioArchitecture = STAND_IN) -> None:
        super().__init__(architecture)
        self.architecture = replace(
            architecture, text_encoder=replace(architecture.text_encoder, vocabulary_size=VOCABULARY_SIZE)
        )
        write_tokenizer(folder)
        self.tokenizer = folder / "tokenizer.json"
        self.batches: list[int] = []
        self.seconds: list[float] = []

    def encode_text(self, token_ids: Sequence[int]) -> Array:
        return np.array([[token] for token in token_ids], np.float32).reshape(-1, 1)

    def condition(
        self, states: Array, numbers: float | Mapping[str, float], *, empty: bool = False, zero_padding: bool = False
    ) -> float:
        assert isinstance(numbers, Mapping)
        self.seconds.append(numbers["seconds_total"])
        return 0.0 if empty else float(np.sin(states.sum() + zero_padding + numbers["seconds_total"] / 100))

    def local_condition(self, mask: Array, masked_latents: Array) -> tuple[Array, Array]:
        assert not masked_latents[mask == 0].any()
        return mask, masked_latents

    def velocities(
        self, latents: Array, sigma: float, conditionings: Sequence[float], locals_: Sequence[Any]
    ) -> Array:  # fmt: skip
        self.batches.append(len(latents))
        rows = zip(latents, conditionings, locals_, strict=True)
        return np.stack([self.velocity(row, sigma, conditioning, local) for row, conditioning, local in rows])

    def most_rows(self, num_latents: int) -> int:
        return max(1, 300 // num_latents)

    def velocity(self, latents: Array, sigma: float, conditioning: float, local: Any = None) -> Array:
        places = np.arange(len(latents))[:, None] / 5 + np.arange(latents.shape[1])
        target = 0.3 * np.sin(places + conditioning) + 0.1 * np.tanh(latents)
        if local is not None:
            mask, kept = local
            target = np.where(mask[:, None] > 0, kept, target)
        return np.asarray((latents - target) / max(sigma, 1e-3), np.float32)
