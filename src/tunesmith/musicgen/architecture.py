"""The architecture of a MusicGen-family model: sizes and rules, as read from its checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

from tunesmith.neural.t5 import T5Shape

PadMode = Literal["reflect", "constant"]
PAD_MODES: tuple[PadMode, ...] = ("reflect", "constant")

MODEL_TYPES = ("musicgen", "musicgen_melody")
"""The supported values of ``model_type`` in a checkpoint's config.json."""

GUIDED_ROWS = 2
"""Batch rows of a guided sequence: the conditional row and the unconditional row."""


@dataclass(frozen=True, slots=True)
class TransformerShape:
    """The shape of the decoder that predicts codes: pre-norm, exact GELU, no biases except in the layer norms.

    ``num_codebooks`` counts both channels (8 for stereo). The id of the special code is ``codebook_size``.
    """

    hidden_size: int
    num_layers: int
    num_heads: int
    ffn_size: int
    num_codebooks: int
    codebook_size: int = 2048

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_heads


@dataclass(frozen=True, slots=True)
class CodecShape:
    """The shape of EnCodec for one channel; ``ratios`` are the decoder's up-sampling factors, first to last."""

    sample_rate: int
    ratios: tuple[int, ...]
    num_filters: int
    latent_size: int
    num_codebooks: int
    codebook_size: int
    kernel_size: int = 7
    last_kernel_size: int = 7
    residual_kernel_size: int = 3
    num_residual_layers: int = 1
    dilation_growth: int = 2
    compress: int = 2
    num_lstm_layers: int = 2
    pad_mode: PadMode = "reflect"
    causal: bool = False
    trim_right_ratio: float = 1.0
    conv_shortcut: bool = True

    @property
    def hop(self) -> int:
        """The hop: samples per frame."""
        return prod(self.ratios)

    @property
    def frame_rate(self) -> float:
        """The frame rate, in frames per second."""
        return self.sample_rate / self.hop


@dataclass(frozen=True, slots=True)
class ChromaShape:
    """The shape of melody conditioning: a chromagram of ``num_chroma`` bins, repeated or cut to ``num_frames``."""

    num_chroma: int = 12
    fft_size: int = 16384
    hop: int = 4096
    num_frames: int = 235


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of a whole model.

    ``delays`` has one entry per codebook, in frames. ``audio_channels`` is 2 for stereo, whose codebooks are
    interleaved [1L, 1R, 2L, 2R, …]. ``window_seconds`` is the longest audio the model was trained on. A model with
    ``chroma`` has no cross-attention: the [chroma, text] states precede the codes as a prefix.
    """

    decoder: TransformerShape
    text_encoder: T5Shape
    codec: CodecShape
    delays: tuple[int, ...]
    audio_channels: int = 1
    chroma: ChromaShape | None = None
    window_seconds: float = 30.0

    @property
    def special_code(self) -> int:
        """The code that fills the gaps of the delay pattern; it is never sampled."""
        return self.decoder.codebook_size

    @property
    def frame_rate(self) -> float:
        """The frame rate of the codes, in frames per second."""
        return self.codec.frame_rate

    @property
    def window_frames(self) -> int:
        """The length of the trained window, in frames."""
        return round(self.window_seconds * self.frame_rate)

    def to_json(self) -> dict[str, Any]:
        """Return the architecture as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Architecture:
        """Build an architecture from the values that ``to_json`` returns."""
        chroma = values.get("chroma")
        codec = {**values["codec"], "ratios": tuple(values["codec"]["ratios"])}
        rest = {name: values[name] for name in ("audio_channels", "window_seconds") if name in values}
        return cls(
            decoder=TransformerShape(**values["decoder"]),
            text_encoder=T5Shape(**values["text_encoder"]),
            codec=CodecShape(**codec),
            delays=tuple(values["delays"]),
            chroma=ChromaShape(**chroma) if chroma else None,
            **rest,
        )
