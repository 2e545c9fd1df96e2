"""The check of the quantized text encoder: its embeddings beside those of float32, and 16 bits where they are too far.

A prompt that is read wrongly would sound like another style, and no later check would tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.magenta_rt.graph.text_encoder import build_text_encoder
from tunesmith.magenta_rt.model_folder import EMBEDDING, TEXT_ENCODER
from tunesmith.magenta_rt.style.encoder import StyleEncoder
from tunesmith.magenta_rt.style.shapes import TextEncoderShape
from tunesmith.neural.graph_chain import GraphChain
from tunesmith.neural.quantization_error import relative_error
from tunesmith.neural.reference_graph import ROUNDED_OPERATIONS, Precision, ReferenceGraphBuilder
from tunesmith.neural.sessions import SessionOptions

Weights = Mapping[str, NDArray[np.float32]]

PROMPTS = (
    "lofi hip hop with rain sounds", "epic orchestral trailer with choir", "solo piano, slow and sad",
    "fast techno with a deep bass",
)  # fmt: skip
HALVES = "text encoder in 16 bits"
ROUNDED = ROUNDED_OPERATIONS | {"LayerNormalization", "SkipLayerNormalization"}
AS_BUILT = SessionOptions(spinning=False, optimize=False)
AS_INSTALLED = SessionOptions(spinning=False)


def bring_text_within(
    limit: float, folder: Path, scratch: Path, shape: TextEncoderShape, weights: Weights
) -> dict[str, int]:
    """Build the text encoder of a model again, in 16 bits, if its error is above ``limit`` errors of bfloat16.

    ``scratch`` is a folder for the reference graphs. Returns the form that was taken, if it is another one, as
    ``QuantizationCheck.forms`` has it. Raises ModelFileError if the embeddings are NaN.
    """
    tokens = [StyleEncoder(folder, AS_INSTALLED).tokens(prompt).ids for prompt in PROMPTS]
    exact, rounded = (
        _embeddings(_reference(scratch, precision, shape, weights), tokens, AS_BUILT)
        for precision in ("float32", "bfloat16")
    )
    found = _embeddings(folder, tokens, AS_INSTALLED)
    if relative_error(found, exact) <= limit * relative_error(rounded, exact):
        return {}
    # The reference in float32 keeps its weights in 16 bits, and widens them as it runs.
    _reference(folder, "float32", shape, weights)
    return {HALVES: 1}


def _reference(folder: Path, precision: Precision, shape: TextEncoderShape, weights: Weights) -> Path:
    build_text_encoder(folder, lambda path: ReferenceGraphBuilder(path, precision, rounded=ROUNDED), shape, weights)
    return folder


def _embeddings(folder: Path, tokens: list[tuple[int, ...]], options: SessionOptions) -> NDArray[np.float32]:
    """Return the embeddings of the prompts: (prompts, width)."""
    encoder = GraphChain(folder, TEXT_ENCODER, EMBEDDING, options)
    found = np.stack([encoder.run({"token_ids": np.array(ids, np.int64)}) for ids in tokens])
    if not np.isfinite(found).all():
        raise ModelFileError(TEXT_ENCODER, "its embeddings are NaN or infinite")
    return found
