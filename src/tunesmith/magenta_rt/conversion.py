"""Conversion of a checkpoint to the folder that the engine opens, one tensor at a time.

architecture.json                     sizes and rules
temporal.onnx, depth.onnx             the language model, quantized
codec.onnx                            the decoder of the codec, in float32
frame_embeddings.npy …                the tables of graph/tables.py
tokenizer.json, text_encoder_0.onnx … a prompt to its embedding
mapper_0.onnx …                       … to that of a recording, in float16
style_tables.safetensors              … to codes, and codes and notes to source vectors
LICENCE.txt                           whose the weights are, and what was changed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import UnknownName
from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.magenta_rt.checkpoint.checkpoint import MagentaCheckpoint
from tunesmith.magenta_rt.checkpoint.unigram_tokenizer import write_unigram_tokenizer
from tunesmith.magenta_rt.conditioning import SourceTables
from tunesmith.magenta_rt.graph.codec import build_codec
from tunesmith.magenta_rt.graph.depth import build_depth
from tunesmith.magenta_rt.graph.mapper import build_mapper
from tunesmith.magenta_rt.graph.tables import write_tables
from tunesmith.magenta_rt.graph.temporal import build_temporal
from tunesmith.magenta_rt.graph.text_encoder import build_text_encoder
from tunesmith.magenta_rt.licence_file import LICENCE_TEXT
from tunesmith.magenta_rt.model_folder import (
    CODEC,
    DEPTH,
    LICENCE,
    STYLE_TABLES,
    TEMPORAL,
    TOKENIZER,
    write_architecture,
)
from tunesmith.magenta_rt.style.quantizer import codebook_name
from tunesmith.neural.checkpoint.counted_weights import CountedWeights
from tunesmith.neural.gpu_weights import write_gpu_weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import BLOCKWISE, BLOCKWISE_32, LayerForms

Weights = Mapping[str, NDArray[np.float32]]
Build = Callable[[GraphBuilder, MagentaArchitecture, Weights], None]

LANGUAGE_MODEL: Mapping[str, Build] = {TEMPORAL: build_temporal, DEPTH: build_depth}
QUANTIZATIONS: Mapping[str, LayerForms] = {
    "int8": LayerForms.all(BLOCKWISE), "int8-32": LayerForms.all(BLOCKWISE_32), "none": LayerForms(),
}  # fmt: skip
"""The forms of the layers of the language model by its ``--quantize`` name; the first is the default."""


def convert(checkpoint: MagentaCheckpoint, folder: Path, quantization: str, progress: Callable[[float], None]) -> None:
    """Convert the checkpoint and write the model folder.

    ``quantization`` is one of QUANTIZATIONS. ``progress`` receives the fraction of the weights read so far, 0 to 1.
    Raises UnknownName for an unknown quantization, and ModelFileError for a broken checkpoint.
    """
    if quantization not in QUANTIZATIONS:
        raise UnknownName("quantize", quantization, tuple(QUANTIZATIONS))
    folder.mkdir(parents=True, exist_ok=True)
    whole = len(checkpoint)
    share = len(checkpoint.weights) / whole
    weights = CountedWeights(checkpoint.weights, lambda fraction: progress(share * fraction))
    architecture = checkpoint.architecture
    # First, because a vocabulary of another kind is found out at once.
    write_unigram_tokenizer(checkpoint.vocabulary, folder / TOKENIZER, architecture.prompt_vocabulary_size)
    build_language_model(folder, architecture, weights, QUANTIZATIONS[quantization])
    # Its maps reach millions, and eight bits lose most of the sound.
    with GraphBuilder(folder / CODEC) as builder:
        build_codec(builder, architecture, weights)
    write_tables(folder, architecture, weights, exact=QUANTIZATIONS[quantization].default is None)
    _convert_style(checkpoint, folder, exact=QUANTIZATIONS[quantization].default is None)
    (folder / LICENCE).write_text(LICENCE_TEXT, encoding="utf-8")
    # The architecture file comes last: a folder without it is an unfinished conversion.
    write_architecture(folder, architecture)
    progress(1.0)


def build_language_model(
    folder: Path, architecture: MagentaArchitecture, weights: Weights, forms: LayerForms,
    open_builder: Callable[[Path, LayerForms], GraphBuilder] = GraphBuilder,
) -> None:  # fmt: skip
    """Write the graphs of the language model with these forms of its layers, by the builders of ``open_builder``."""
    for name, build in LANGUAGE_MODEL.items():
        with open_builder(folder / name, forms) as builder:
            build(builder, architecture, weights)


def _convert_style(checkpoint: MagentaCheckpoint, folder: Path, *, exact: bool) -> None:
    # It runs once a prompt, so that it takes the most exact of the small forms.
    form = None if exact else BLOCKWISE_32
    build_text_encoder(folder, lambda path: GraphBuilder(path, form), checkpoint.text_shape, checkpoint.text)
    if checkpoint.mapper is not None:
        build_mapper(folder, *checkpoint.mapper, exact=exact)
    books = {codebook_name(level): book for level, book in enumerate(checkpoint.codebooks)}
    tables = books | SourceTables.from_weights(checkpoint.weights).named()
    write_gpu_weights(folder / STYLE_TABLES, tables, tables, lambda _: True)
