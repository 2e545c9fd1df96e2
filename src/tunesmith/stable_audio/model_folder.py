"""The files of an installed model: conversion writes them, the networks open them."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.errors import ModelFileError
from tunesmith.plain_text import is_text
from tunesmith.stable_audio.architecture import StableAudioArchitecture

ARCHITECTURE, TOKENIZER = "architecture.json", "tokenizer.json"
TEXT_ENCODER, CONDITIONING, LOCAL_CONDITION = "text_encoder.onnx", "conditioning.onnx", "local_condition.onnx"
TRANSFORMER = "transformer.onnx"
AUTOENCODER_DECODER, AUTOENCODER_ENCODER = "autoencoder_decoder.onnx", "autoencoder_encoder.onnx"
# Oobleck's decoder is in two graphs.
AUTOENCODER_DECODER_TAIL = "autoencoder_decoder_tail.onnx"


def write_architecture(folder: Path, architecture: StableAudioArchitecture) -> None:
    """Write the architecture of the model to its folder."""
    text = json.dumps(architecture.to_json(), indent=2) + "\n"
    (folder / ARCHITECTURE).write_text(text, encoding="utf-8")


def read_architecture(folder: Path) -> StableAudioArchitecture:
    """Read the architecture from a model folder. Raises ModelFileError if the file is missing or damaged."""
    path = folder / ARCHITECTURE
    # The libraries that open the graphs accept UTF-8 paths only.
    if not is_text(str(folder)):
        raise ModelFileError(str(path), "the name of its folder must be UTF-8; rename the folder")
    try:
        return StableAudioArchitecture.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelFileError(str(path), f"cannot be read: {error.strerror}; pull the model again") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(str(path), f"is damaged ({error}); pull the model again") from None
