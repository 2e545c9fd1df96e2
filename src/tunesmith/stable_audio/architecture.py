"""The architecture of a Stable Audio model: sizes and rules, as read from its checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from tunesmith.neural.t5 import T5Shape

Objective = Literal["rf_denoiser", "rectified_flow", "v"]
"""What the transformer was trained to predict, which decides the sampler: ping-pong, Euler or DPM-Solver++ (3M) SDE."""

FOURIER_FEATURES = 256
"""The number of Fourier features of a number or of the noise level: 128 cosines and 128 sines."""


@dataclass(frozen=True, slots=True)
class T5GemmaShape:
    """The shape of the encoder of T5Gemma: rotary positions, gated feed-forward layers, capped attention scores."""

    hidden_size: int
    num_layers: int
    num_heads: int
    head_size: int
    ffn_size: int
    vocabulary_size: int
    rope_theta: float = 10_000.0
    score_cap: float = 50.0
    query_scalar: float = 64.0
    epsilon: float = 1e-6


@dataclass(frozen=True, slots=True)
class DiffusionShape:
    """The shape of the diffusion transformer.

    With memory tokens (Stable Audio 3), the global condition modulates every block (adaLN), and a local condition of
    ``local_width`` channels is added to every latent. Without (Stable Audio Open), the global condition is a token in
    front of the latents, and ``local_width`` is 0.
    """

    hidden_size: int
    num_layers: int
    num_heads: int
    latent_channels: int
    condition_width: int
    global_width: int
    num_memory_tokens: int = 0
    local_width: int = 0
    qk_norm: Literal["rms", "ln", "none"] = "none"
    project_condition: bool = True
    ffn_multiple: float = 4.0

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads

    @property
    def rotary_size(self) -> int:
        """The first dimensions of a head, which rotary positions turn."""
        # The reference's rule (stable-audio-tools): half a head, but never under 32.
        return max(self.head_size // 2, 32)

    @property
    def num_key_heads(self) -> int:
        """Heads of the keys and values of cross-attention; each serves several query heads if there are fewer."""
        # Stable Audio Open 1.0 leaves its condition 768 wide: 12 heads of keys serve 24 of queries.
        return (self.hidden_size if self.project_condition else self.condition_width) // self.head_size


@dataclass(frozen=True, slots=True)
class SameShape:
    """The shape of SAME-S, the autoencoder of Stable Audio 3: transformers over pairs of latents.

    A latent stands for ``patches`` patches of ``patch_size`` samples.
    """

    hidden_size: int
    num_layers: int
    head_size: int
    ffn_size: int
    latent_channels: int
    patch_size: int = 256
    patches: int = 16

    @property
    def hop_size(self) -> int:
        """Samples of one latent."""
        return self.patch_size * self.patches


@dataclass(frozen=True, slots=True)
class OobleckShape:
    """The shape of Oobleck, the convolutional autoencoder of Stable Audio Open.

    ``multiples`` are the channel multiples of the blocks, without the 1 in front; ``strides`` those of the encoder.
    """

    channels: int
    multiples: tuple[int, ...]
    strides: tuple[int, ...]
    latent_channels: int

    @property
    def hop_size(self) -> int:
        """Samples of one latent."""
        return prod(self.strides)


@dataclass(frozen=True, slots=True)
class NumberCondition:
    """A number the model is conditioned on, such as ``seconds_total``, clamped to ``low`` to ``high``.

    Its Fourier features are spaced evenly in the logarithm (``exponential``), or learned.
    """

    name: str
    low: float
    high: float
    exponential: bool


@dataclass(frozen=True, slots=True)
class StableAudioArchitecture:
    """The whole model.

    ``max_tokens`` is the length that prompts are padded to. ``max_latents`` is the longest piece, and the only length
    of Stable Audio Open. ``numbers`` are in the order of the context.
    """

    diffusion: DiffusionShape
    autoencoder: SameShape | OobleckShape
    text_encoder: T5GemmaShape | T5Shape
    numbers: tuple[NumberCondition, ...]
    objective: Objective
    max_tokens: int
    max_latents: int
    sample_rate: int = 44_100
    audio_channels: int = 2

    @property
    def is_stable_audio_3(self) -> bool:
        """Whether the model is of the third generation, whose pieces have any length."""
        return isinstance(self.autoencoder, SameShape)

    @property
    def hop_size(self) -> int:
        """Samples of one latent."""
        return self.autoencoder.hop_size

    @property
    def max_seconds(self) -> float:
        """The longest piece of a single run."""
        return self.max_latents * self.hop_size / self.sample_rate

    def numbers_for(self, seconds: float) -> dict[str, float]:
        """Return the numbers that condition a piece of so many seconds, which starts at 0, by name."""
        # In training a clip could begin anywhere in its recording; a whole piece begins at 0.
        return {number.name: 0.0 if number.name == "seconds_start" else seconds for number in self.numbers}

    def to_json(self) -> dict[str, Any]:
        """Return the architecture as a JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StableAudioArchitecture:
        """Read what ``to_json`` returned. Raises ValueError, KeyError or TypeError for anything else."""
        autoencoder, text = dict(values["autoencoder"]), values["text_encoder"]
        # The JSON holds no class names: a field that only one of two shapes has tells which it is.
        is_same = "patch_size" in autoencoder
        if not is_same:
            # JSON has lists where the frozen shapes have tuples.
            autoencoder |= {name: tuple(autoencoder[name]) for name in ("multiples", "strides")}
        return cls(
            **{name: values[name] for name in ("objective", "max_tokens", "max_latents", "sample_rate")},
            audio_channels=values["audio_channels"],
            diffusion=DiffusionShape(**values["diffusion"]),
            autoencoder=SameShape(**autoencoder) if is_same else OobleckShape(**autoencoder),
            text_encoder=T5GemmaShape(**text) if "rope_theta" in text else T5Shape(**text),
            numbers=tuple(NumberCondition(**number) for number in values["numbers"]),
        )
