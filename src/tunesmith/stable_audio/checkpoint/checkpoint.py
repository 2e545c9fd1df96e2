"""StableAudioCheckpoint: a published model of the Stable Audio family, in any of its layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensors import LazyWeights, Tensor
from tunesmith.neural.checkpoint.weight_files import naming_folder
from tunesmith.neural.t5 import read_t5
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.checkpoint import diffusers, optimized, stability
from tunesmith.stable_audio.checkpoint.file_names import DIFFUSERS_INDEX, DIFFUSION_PATTERN, MODEL_CONFIG
from tunesmith.stable_audio.checkpoint.model_config import PublishedSizes, read_model_config
from tunesmith.stable_audio.checkpoint.t5gemma import read_t5gemma
from tunesmith.stable_audio.checkpoint.tokenizer_file import TokenizerSource

Weights = Mapping[str, NDArray[np.float32]]
"""Tensors by name, each read from disk on access, so that only one is in memory; see ``canonical_shapes``."""


@dataclass(frozen=True, slots=True)
class StableAudioCheckpoint:
    """A published model: its architecture, its weights and its tokenizer.

    ``weights`` has exactly the tensors that the architecture needs, each with a checked shape.
    """

    architecture: StableAudioArchitecture
    weights: Weights
    tokenizer: TokenizerSource


def needed_companions(folder: Path) -> tuple[str, ...]:
    """Return the repositories that ``open_checkpoint`` needs besides this folder: that of T5 for Stable Audio Open.

    Raises ModelFileError if the folder holds no readable checkpoint.
    """
    if not _is_stability(folder):
        return ()
    text = read_model_config(folder).text
    return (text.place,) if text.kind == "t5" else ()


def open_checkpoint(folder: Path, companions: Mapping[str, Path] | None = None) -> StableAudioCheckpoint:
    """Open a folder of any layout; ``companions`` maps each needed repository to its folder.

    Reads the index of the weights, not the weights. Raises ModelFileError, with the file and the key or tensor, if
    something is missing, broken or of another kind of model. Never executes code from the files.
    """
    if _is_stability(folder):
        return _open_stability(folder, companions or {})
    if diffusers.is_diffusers(folder):
        architecture, tensors, tokenizer = diffusers.read_diffusers(folder)
    else:
        architecture, tensors, tokenizer = optimized.read_optimized(folder)
    return _checkpoint(architecture, tensors, tokenizer)


def _checkpoint(
    architecture: StableAudioArchitecture, tensors: dict[str, Tensor], tokenizer: Path
) -> StableAudioCheckpoint:
    source = TokenizerSource(tokenizer, architecture.text_encoder.vocabulary_size)
    return StableAudioCheckpoint(architecture, LazyWeights(tensors), source)


def _is_stability(folder: Path) -> bool:
    """Return whether the layout is Stability AI's own, which counts where a folder has several."""
    if not folder.is_dir():
        raise ModelFileError(str(folder), "it is not a folder")
    if (folder / MODEL_CONFIG).is_file():
        return True
    if not diffusers.is_diffusers(folder) and not optimized.is_optimized(folder):
        problem = f"neither it nor {DIFFUSERS_INDEX} nor an archive {DIFFUSION_PATTERN} is in {folder}"
        raise ModelFileError(MODEL_CONFIG, f"{problem}: no checkpoint of Stable Audio")
    return False


def _open_stability(folder: Path, companions: Mapping[str, Path]) -> StableAudioCheckpoint:
    sizes = read_model_config(folder)
    architecture, text_tensors, tokenizer = _open_text_encoder(folder, sizes, companions)
    # Names and shapes are checked before any weight is read, so that a wrong file fails at once.
    tensors = text_tensors | stability.read_stability(folder, sizes)
    return _checkpoint(architecture, tensors, tokenizer)


def _open_text_encoder(
    folder: Path, sizes: PublishedSizes, companions: Mapping[str, Path]
) -> tuple[StableAudioArchitecture, dict[str, Tensor], Path]:
    text = sizes.text
    if text.kind == "t5gemma":
        gemma, tensors, tokenizer = read_t5gemma(folder / text.place)
        return sizes.with_text_encoder(gemma), tensors, tokenizer
    if text.place not in companions:
        raise ModelFileError(MODEL_CONFIG, f"it needs the repository {text.place}, which was not given")
    with naming_folder(text.place):
        shape, tensors, tokenizer = read_t5(companions[text.place])
    return sizes.with_text_encoder(shape), tensors, tokenizer
