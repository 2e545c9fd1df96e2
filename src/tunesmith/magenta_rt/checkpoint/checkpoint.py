"""MagentaCheckpoint: the published files of a model, opened and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.checkpoint.file_names import (
    CHECKPOINT,
    MAPPER,
    MUSICCOCA,
    STYLE_QUANTIZER,
    TEXT_ENCODER,
    VOCABULARY,
)
from tunesmith.magenta_rt.checkpoint.language_model import read_language_model
from tunesmith.magenta_rt.checkpoint.mapper import read_codebooks, read_mapper
from tunesmith.magenta_rt.checkpoint.text_encoder import read_text_encoder
from tunesmith.magenta_rt.style.shapes import MapperShape, TextEncoderShape
from tunesmith.neural.checkpoint.tensors import LazyWeights
from tunesmith.neural.checkpoint.weight_files import naming_folder

Weights = Mapping[str, NDArray[np.float32]]
"""Tensors by name, each read from disk on access, so that only one is in memory."""


@dataclass(frozen=True, slots=True)
class MagentaCheckpoint:
    """A published model.

    ``weights`` are those of the language model and the codec by their published names, ``text`` and ``mapper`` those of
    the style encoder (see ``checkpoint.text_encoder`` and ``checkpoint.mapper``); ``mapper``, with its shape, is None
    in copies that lack it. ``codebooks`` (12, codes, width) are the style's, ``vocabulary`` is the SentencePiece model.
    """

    architecture: MagentaArchitecture
    weights: Weights
    text_shape: TextEncoderShape
    text: Weights
    mapper: tuple[MapperShape, Weights] | None
    codebooks: NDArray[np.float32]
    vocabulary: Path

    def __len__(self) -> int:
        """Return the number of tensors that a conversion reads."""
        return len(self.weights) + len(self.text) + (len(self.mapper[1]) if self.mapper else 0)


def open_checkpoint(folder: Path) -> MagentaCheckpoint:
    """Open a folder in the layout of ``google/magenta-realtime-2``.

    Reads the indexes of the weights and the style's codebooks, not the other weights. Raises ModelFileError, with the
    file and the tensor, if something is missing, cut off, of another shape or of another kind of model.
    """
    architecture, tensors = read_language_model(folder / CHECKPOINT)
    with naming_folder(MUSICCOCA):
        shape, text = read_text_encoder(folder / TEXT_ENCODER)
        mapper = read_mapper(folder / MAPPER, shape.width) if (folder / MAPPER).is_file() else None
        codebooks = read_codebooks(folder / STYLE_QUANTIZER, shape.width)
        if not (folder / VOCABULARY).is_file():
            raise ModelFileError(Path(VOCABULARY).name, f"it is not in {(folder / VOCABULARY).parent}")
    if codebooks.shape[1] != architecture.style_codebook_size:
        size = architecture.style_codebook_size
        raise ModelFileError(STYLE_QUANTIZER, f"must have {size} codes a level as the model, got {codebooks.shape[1]}")
    whole = replace(
        architecture, max_prompt_tokens=shape.max_tokens, prompt_vocabulary_size=shape.vocabulary_size,
        has_mapper=mapper is not None,
    )  # fmt: skip
    lazy_mapper = None if mapper is None else (mapper[0], LazyWeights(mapper[1]))
    return MagentaCheckpoint(
        whole, LazyWeights(tensors), shape, LazyWeights(text), lazy_mapper, codebooks, folder / VOCABULARY
    )
