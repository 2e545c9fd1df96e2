"""The files of an installed model: conversion writes them, the networks open them."""

from __future__ import annotations

from pathlib import Path

from tunesmith.neural.architecture_file import read_architecture_file, write_architecture_file
from tunesmith.stable_audio.architecture import StableAudioArchitecture

TOKENIZER = "tokenizer.json"
TEXT_ENCODER, CONDITIONING, LOCAL_CONDITION = "text_encoder.onnx", "conditioning.onnx", "local_condition.onnx"
TRANSFORMER = "transformer.onnx"
AUTOENCODER_DECODER, AUTOENCODER_ENCODER = "autoencoder_decoder.onnx", "autoencoder_encoder.onnx"
# Oobleck's decoder is in two graphs.
AUTOENCODER_DECODER_TAIL = "autoencoder_decoder_tail.onnx"
# A model for a GPU has its weights in place of the graphs.
GPU_WEIGHTS = "weights.safetensors"


def write_architecture(folder: Path, architecture: StableAudioArchitecture) -> None:
    """Write the architecture of the model to its folder."""
    write_architecture_file(folder, architecture.to_json())


def read_architecture(folder: Path) -> StableAudioArchitecture:
    """Read the architecture from a model folder. Raises ModelFileError if the file is missing or damaged."""
    return read_architecture_file(folder, StableAudioArchitecture.from_json)
