"""Conversion of a checkpoint to the folder that the engine opens, one tensor at a time.

architecture.json      sizes and rules
tokenizer.json         copied unchanged
embeddings.npy         the embeddings of the codes, float32
decoder.onnx …         the graphs, each with its weights in *.onnx.data
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from tunesmith.errors import UnknownName
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.checkpoint import Checkpoint, Weights
from tunesmith.musicgen.graph.codec import build_codec_encoder, build_codec_frames, build_codec_samples
from tunesmith.musicgen.graph.decoder import build_cross_attention, build_decoder, embedding_tables
from tunesmith.musicgen.graph.text_encoder import build_text_encoder
from tunesmith.musicgen.model_folder import (
    CHROMA_PROJECTION,
    CODEC_ENCODER,
    CODEC_FRAMES,
    CODEC_SAMPLES,
    CROSS_ATTENTION,
    DECODER,
    EMBEDDINGS,
    GPU_WEIGHTS,
    TEXT_ENCODER,
    TOKENIZER,
    write_architecture,
)
from tunesmith.neural.checkpoint.counted_weights import CountedWeights
from tunesmith.neural.gpu_weights import write_gpu_weights
from tunesmith.neural.graph_builder import GraphBuilder
from tunesmith.neural.quantization import FOR_GPU, FORMS, QUANTIZATIONS, Quantization

CODEC_PREFIX, CHROMA_WEIGHTS = "audio_encoder.", "audio_enc_to_dec_proj"
TEXT_QUANTIZATION = Quantization(bits=8, block_size=32)

Build = Callable[[GraphBuilder, Architecture, Weights], None]

TRANSFORMER_GRAPHS: Mapping[str, Build] = {
    DECODER: build_decoder,
    TEXT_ENCODER: build_text_encoder,
    CROSS_ATTENTION: build_cross_attention,
}
CODEC_GRAPHS: Mapping[str, Build] = {
    CODEC_FRAMES: build_codec_frames,
    CODEC_SAMPLES: build_codec_samples,
    CODEC_ENCODER: build_codec_encoder,
}


def convert(checkpoint: Checkpoint, folder: Path, quantization: str, progress: Callable[[float], None]) -> None:
    """Convert the checkpoint and write the model folder.

    ``quantization`` is one of FORMS. ``progress`` receives the fraction of the weights read so far, 0 to 1. Raises
    UnknownName for an unknown quantization, and ModelFileError for a broken checkpoint.
    """
    if quantization not in FORMS:
        raise UnknownName("quantize", quantization, FORMS)
    architecture = checkpoint.architecture
    weights = CountedWeights(checkpoint.weights, progress)
    folder.mkdir(parents=True, exist_ok=True)
    if quantization == FOR_GPU:
        # The codec runs on ONNX Runtime on every device, so its weights go into its own graphs.
        names = [name for name in weights if not name.startswith(CODEC_PREFIX)]
        write_gpu_weights(folder / GPU_WEIGHTS, weights, names)
    else:
        _write_tables(folder, architecture, weights)
        for name, build in _transformer_graphs(architecture):
            with GraphBuilder(folder / name, _quantization_of(name, quantization)) as builder:
                build(builder, architecture, weights)
    for name, build in CODEC_GRAPHS.items():
        with GraphBuilder(folder / name) as builder:
            build(builder, architecture, weights)
    shutil.copyfile(checkpoint.tokenizer, folder / TOKENIZER)
    # The architecture file comes last: a folder without it is an unfinished conversion.
    write_architecture(folder, architecture)
    progress(1.0)


def decoder_graphs(architecture: Architecture) -> Iterator[tuple[str, Build]]:
    """Yield the name and the builder of each graph of the decoder: its cross-attention, if any, has one of its own."""
    return ((name, build) for name, build in _transformer_graphs(architecture) if name != TEXT_ENCODER)


def _write_tables(folder: Path, architecture: Architecture, weights: Weights) -> None:
    np.save(folder / EMBEDDINGS, embedding_tables(architecture, weights))
    if architecture.chroma:
        parts = {part: weights[f"{CHROMA_WEIGHTS}.{part}"] for part in ("weight", "bias")}
        # NumPy's type stub accepts no mapping.
        np.savez(folder / CHROMA_PROJECTION, **parts)  # type: ignore[arg-type]


def _quantization_of(graph: str, wanted: str) -> Quantization | None:
    """Return the quantization of a graph.

    T5's activations have outliers that spoil a block's scale, so its blocks are small and never below 8 bits.
    """
    chosen = QUANTIZATIONS[wanted]
    return TEXT_QUANTIZATION if chosen and graph == TEXT_ENCODER else chosen


def _transformer_graphs(architecture: Architecture) -> Iterator[tuple[str, Build]]:
    for name, build in TRANSFORMER_GRAPHS.items():
        if architecture.chroma is None or build is not build_cross_attention:
            yield name, build
