"""The architecture of Magenta RealTime 2: sizes and rules of the language model, its conditioning and its codec.

A frame is 40 ms of sound and has one code of each codebook. The temporal transformer runs once a frame, the depth
transformer once a code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

RESERVED_IDS = 6
"""Ids before those of the codes in the vocabulary; 0 starts a stream."""


@dataclass(frozen=True, slots=True)
class StackShape:
    """The shape of one of the two transformers: norms before and after each part, no positions, no gates."""

    hidden_size: int
    num_layers: int
    num_heads: int
    head_size: int
    ffn_size: int

    @property
    def attention_size(self) -> int:
        """Width of all heads together."""
        return self.num_heads * self.head_size


@dataclass(frozen=True, slots=True)
class SpectroStreamShape:
    """The shape of SpectroStream, the codec: causal convolutions over (time, bins) of a spectrogram.

    ``channels`` are those after each up-sampling unit, ``strides`` the factors (time, bins) of the units. After the
    unit ``split_after`` the channels are cut into one group for each audio channel, which share the other weights.
    """

    latent_size: int
    base_channels: int
    base_bins: int
    channels: tuple[int, ...]
    strides: tuple[tuple[int, int], ...] = ((2, 1), (2, 2), (1, 2), (1, 2), (1, 3), (1, 2), (1, 2))
    split_after: int = 0
    fft_size: int = 960
    sample_rate: int = 48_000
    audio_channels: int = 2

    @property
    def spectra_per_frame(self) -> int:
        """Spectra of one frame of codes."""
        return prod(time for time, _ in self.strides)

    @property
    def hop_size(self) -> int:
        """Samples from one spectrum to the next; two overlap."""
        return self.fft_size // 2

    @property
    def frame_size(self) -> int:
        """Samples of one frame of codes."""
        return self.hop_size * self.spectra_per_frame


@dataclass(frozen=True, slots=True)
class MagentaArchitecture:
    """The whole model.

    ``window_frames`` past frames are seen beside the present one. ``source_width`` is the width of a frame's
    conditioning; ``style_width`` that of the embeddings of the ``num_style_codebooks`` style codes of a frame, each one
    of ``style_codebook_size``. ``max_prompt_tokens`` counts the start of a prompt too; a model without ``has_mapper``
    quantizes the embedding of a text as it is.
    """

    temporal: StackShape
    depth: StackShape
    codec: SpectroStreamShape
    source_width: int
    window_frames: int
    num_codebooks: int = 12
    codebook_size: int = 1024
    style_width: int = 768
    num_style_codebooks: int = 12
    style_codebook_size: int = 1024
    logit_cap: float = 30.0
    max_prompt_tokens: int = 128
    prompt_vocabulary_size: int = 16_000
    has_mapper: bool = True

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.codec.sample_rate / self.codec.frame_size

    @property
    def vocabulary_size(self) -> int:
        """Ids of the language model: the reserved ones, then the codes, codebook by codebook."""
        return RESERVED_IDS + self.num_codebooks * self.codebook_size

    def to_json(self) -> dict[str, Any]:
        """Return the architecture as a JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MagentaArchitecture:
        """Read what ``to_json`` returned. Raises ValueError, KeyError or TypeError for anything else."""
        codec = dict(values["codec"])
        # JSON has lists where the frozen shapes have tuples.
        codec |= {"channels": tuple(codec["channels"]), "strides": tuple(tuple(one) for one in codec["strides"])}
        parts = {
            "temporal": StackShape(**values["temporal"]), "depth": StackShape(**values["depth"]),
            "codec": SpectroStreamShape(**codec),
        }  # fmt: skip
        return cls(**{**values, **parts})


MAGENTA_RT_2_SMALL = MagentaArchitecture(
    temporal=StackShape(hidden_size=1024, num_layers=12, num_heads=8, head_size=128, ffn_size=4096),
    depth=StackShape(hidden_size=768, num_layers=2, num_heads=6, head_size=128, ffn_size=3072),
    codec=SpectroStreamShape(
        latent_size=256, base_channels=512, base_bins=5, channels=(1024, 256, 256, 256, 128, 128, 64)
    ),
    source_width=256,
    window_frames=41,
)
"""The sizes of ``mrt2_small``; the checkpoint states none of them."""
