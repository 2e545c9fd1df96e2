"""Checkpoint: a published model, in either of the two folder layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.musicgen.architecture import Architecture, CodecShape
from tunesmith.musicgen.checkpoint import audiocraft, audiocraft_architecture, huggingface
from tunesmith.musicgen.checkpoint.expected_shapes import codec_shapes, decoder_shapes
from tunesmith.neural import t5
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.tensor_shapes import select
from tunesmith.neural.checkpoint.tensors import LazyWeights, Tensor
from tunesmith.neural.checkpoint.weight_files import naming_folder, read_json, read_weights, weight_file
from tunesmith.neural.t5 import T5Shape

Weights = Mapping[str, NDArray[np.float32]]
"""Tensors by name, each read from disk on access, so that only one is in memory.

The names are those of Hugging Face's layout, whatever the file's own: ``text_encoder.*`` (the embeddings as
``text_encoder.shared.weight``), ``enc_to_dec_proj.*``, ``audio_enc_to_dec_proj.*``, ``decoder.model.decoder.*``,
``decoder.lm_heads.*``, ``audio_encoder.*`` (with weight norm folded: ``….conv.weight``). The mapping has exactly the
tensors that the architecture needs, each with a checked shape.
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A published model: its architecture, its weights and its tokenizer file (``tokenizer.json``)."""

    architecture: Architecture
    weights: Weights
    tokenizer: Path


def needed_companions(folder: Path) -> tuple[str, ...]:
    """Return the repositories that ``open_checkpoint`` needs besides this folder; none for Hugging Face's layout.

    audiocraft's layout names its text encoder, such as ``t5-base``, and may name its codec, such as
    ``facebook/encodec_32khz``. Raises ModelFileError if the folder holds no readable checkpoint.
    """
    if not _is_audiocraft(folder):
        return ()
    decoder = audiocraft.read_package(folder, audiocraft.DECODER_FILE)
    codec = _codec_repository(audiocraft.read_package(folder, audiocraft.CODEC_FILE))
    text = audiocraft_architecture.text_repository(decoder.settings)
    return (text,) if codec is None else (text, codec)


def open_checkpoint(folder: Path, companions: Mapping[str, Path] | None = None) -> Checkpoint:
    """Open a folder of either layout; ``companions`` maps each needed repository to its folder.

    Reads the index of the weights, not the weights. Raises ModelFileError, with the file and the field or tensor, if
    something is missing, broken or of another model family. Never executes code from the files.
    """
    if _is_audiocraft(folder):
        return _open_audiocraft(folder, companions or {})
    architecture = huggingface.read_architecture(folder)
    tokenizer = t5.check_tokenizer(folder, architecture.text_encoder.vocabulary_size)
    return Checkpoint(architecture, LazyWeights(huggingface.read_tensors(folder, architecture)), tokenizer)


def _is_audiocraft(folder: Path) -> bool:
    """Return whether the layout is audiocraft's; of two layouts, Hugging Face's counts, which is complete."""
    if not folder.is_dir():
        raise ModelFileError(str(folder), "it is not a folder")
    there = (folder / audiocraft.DECODER_FILE).is_file()
    if not there and not (folder / huggingface.CONFIG).is_file():
        problem = f"neither it nor {audiocraft.DECODER_FILE} is in {folder}: no checkpoint"
        raise ModelFileError(huggingface.CONFIG, problem)
    return there and not ((folder / huggingface.CONFIG).is_file() and weight_file(folder))


def _open_audiocraft(folder: Path, companions: Mapping[str, Path]) -> Checkpoint:
    decoder = audiocraft.read_package(folder, audiocraft.DECODER_FILE)
    text_encoder, tensors, tokenizer = _open_text_encoder(decoder.settings, companions)
    codec, codec_tensors = _open_codec(folder, companions, decoder.settings)
    architecture = audiocraft_architecture.make_architecture(decoder.settings, text_encoder, codec)
    tensors |= codec_tensors
    # Names and shapes are checked before any weight is read, so that a wrong file fails at once.
    tensors |= select(audiocraft.decoder_tensors(decoder), decoder_shapes(architecture), audiocraft.DECODER_FILE)
    return Checkpoint(architecture, LazyWeights(tensors), tokenizer)


def _open_text_encoder(
    settings: ConfigReader, companions: Mapping[str, Path]
) -> tuple[T5Shape, dict[str, Tensor], Path]:
    repository = audiocraft_architecture.text_repository(settings)
    folder = _companion(companions, repository)
    with naming_folder(repository):
        return t5.read_t5(folder)


def _open_codec(
    folder: Path, companions: Mapping[str, Path], settings: ConfigReader
) -> tuple[CodecShape, dict[str, Tensor]]:
    """Open the codec from the weights in this folder, or from the repository named in their place."""
    num_codebooks = audiocraft_architecture.num_codebooks_of_channel(settings)
    package = audiocraft.read_package(folder, audiocraft.CODEC_FILE)
    repository = _codec_repository(package)
    if repository is None:
        codec = audiocraft_architecture.read_codec(package.settings, num_codebooks)
        return codec, select(audiocraft.codec_tensors(package), codec_shapes(codec), audiocraft.CODEC_FILE)
    other = _companion(companions, repository)
    with naming_folder(repository):
        own = ConfigReader(huggingface.CONFIG, read_json(other / huggingface.CONFIG))
        own.one_of("model_type", ("encodec",))
        codec = huggingface.read_codec(own, num_codebooks)
        file, tensors = read_weights(other)
        named = {f"audio_encoder.{name}": tensor for name, tensor in tensors.items()}
        return codec, select(named, codec_shapes(codec), file)


def _codec_repository(package: audiocraft.Package) -> str | None:
    name = package.pretrained
    if name is None:
        return None
    # DAC, the Descript Audio Codec, has another architecture.
    if name.startswith("dac_"):
        raise package.settings.error("pretrained", f"unsupported codec {name!r}; only EnCodec is supported")
    return audiocraft_architecture.check_repository(package.settings, "pretrained", name)


def _companion(companions: Mapping[str, Path], repository: str) -> Path:
    if repository not in companions:
        raise ModelFileError(audiocraft.DECODER_FILE, f"it needs the repository {repository}, which was not given")
    return companions[repository]
