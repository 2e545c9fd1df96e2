"""The files of a model folder: conversion writes them, the engine opens them."""

from __future__ import annotations

from pathlib import Path

from tunesmith.musicgen.architecture import Architecture
from tunesmith.neural.architecture_file import read_architecture_file, write_architecture_file

TOKENIZER = "tokenizer.json"
EMBEDDINGS, CHROMA_PROJECTION = "embeddings.npy", "chroma_projection.npz"
DECODER, TEXT_ENCODER, CROSS_ATTENTION = "decoder.onnx", "text_encoder.onnx", "cross_attention.onnx"
GPU_WEIGHTS = "weights.safetensors"
CODEC_FRAMES, CODEC_SAMPLES, CODEC_ENCODER = "codec_frames.onnx", "codec_samples.onnx", "codec_encoder.onnx"


def write_architecture(folder: Path, architecture: Architecture) -> None:
    """Write the architecture of the model to its folder."""
    write_architecture_file(folder, architecture.to_json())


def read_architecture(folder: Path) -> Architecture:
    """Read the architecture from a model folder. Raises ModelFileError if the file is missing or damaged."""
    return read_architecture_file(folder, Architecture.from_json)
