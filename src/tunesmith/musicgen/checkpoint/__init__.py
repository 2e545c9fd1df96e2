"""Published weights as they come: Hugging Face's layout and audiocraft's, safetensors and pickles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.musicgen.architecture import Architecture

Weights = Mapping[str, NDArray[np.float32]]
"""Tensors by name, each read from disk when asked for, so that no more than one is in memory.

The names are those of Hugging Face's layout whatever the file's own: ``text_encoder.*``, ``enc_to_dec_proj.*``,
``audio_enc_to_dec_proj.*``, ``decoder.model.decoder.*``, ``decoder.lm_heads.*``, ``audio_encoder.*`` (with weight norm
folded: ``….conv.weight``).
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A published model: its sizes, its weights and the file of its tokenizer (``tokenizer.json``)."""

    architecture: Architecture
    weights: Weights
    tokenizer: Path
