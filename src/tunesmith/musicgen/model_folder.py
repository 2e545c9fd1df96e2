"""The files of a model folder: conversion writes them, the engine opens them."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.musicgen.architecture import Architecture
from tunesmith.plain_text import is_text

ARCHITECTURE, TOKENIZER = "architecture.json", "tokenizer.json"
EMBEDDINGS, CHROMA_PROJECTION = "embeddings.npy", "chroma_projection.npz"
DECODER, TEXT_ENCODER, CROSS_ATTENTION = "decoder.onnx", "text_encoder.onnx", "cross_attention.onnx"
GPU_WEIGHTS = "weights.safetensors"
CODEC_FRAMES, CODEC_SAMPLES, CODEC_ENCODER = "codec_frames.onnx", "codec_samples.onnx", "codec_encoder.onnx"


def write_architecture(folder: Path, architecture: Architecture) -> None:
    """Write the architecture of the model to its folder."""
    text = json.dumps(architecture.to_json(), indent=2) + "\n"
    (folder / ARCHITECTURE).write_text(text, encoding="utf-8")


def read_architecture(folder: Path) -> Architecture:
    """Read the architecture from a model folder. Raises ModelFileError if the file is missing or damaged."""
    path = folder / ARCHITECTURE
    # The libraries that open the graphs accept UTF-8 paths only.
    if not is_text(str(folder)):
        raise ModelFileError(str(path), "the name of its folder must be UTF-8; rename the folder")
    try:
        return Architecture.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelFileError(str(path), f"cannot be read: {error.strerror}; pull the model again") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(str(path), f"is damaged ({error}); pull the model again") from None
