"""The files of a model folder: conversion writes them, the engine opens them."""

from __future__ import annotations

from pathlib import Path

from tunesmith.magenta_rt.architecture import MagentaArchitecture
from tunesmith.neural.architecture_file import read_architecture_file, write_architecture_file

TEMPORAL, DEPTH, CODEC = "temporal.onnx", "depth.onnx", "codec.onnx"
# The tables of graph/tables.py.
FRAME_EMBEDDINGS, DEPTH_EMBEDDINGS = "frame_embeddings.npy", "depth_embeddings.npy"
CODEBOOKS, SINKS = "codebooks.npy", "sinks.npy"
# What turns a prompt into style codes, and the numbers of a frame into its source vector.
TOKENIZER, STYLE_TABLES = "tokenizer.json", "style_tables.safetensors"
# Networks in several parts, and the outputs of their last parts; see GraphChain.
TEXT_ENCODER, MAPPER = "text_encoder", "mapper"
EMBEDDING, MAPPED = "embedding", "mapped"
LICENCE = "LICENCE.txt"


def write_architecture(folder: Path, architecture: MagentaArchitecture) -> None:
    """Write the architecture of the model to its folder."""
    write_architecture_file(folder, architecture.to_json())


def read_architecture(folder: Path) -> MagentaArchitecture:
    """Read the architecture from a model folder. Raises ModelFileError if the file is missing or damaged."""
    return read_architecture_file(folder, MagentaArchitecture.from_json)
