"""Conversion: what pulling asks of a family of models, so that the store does not depend on how one is built."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from tunesmith.errors import InvalidRequest, ModelFileError, OutOfResources
from tunesmith.models.manifest import Manifest
from tunesmith.models.resource_checks import available_memory, check_memory
from tunesmith.musicgen.architecture import Architecture
from tunesmith.request import GenerationRequest

TRIAL = GenerationRequest(prompt="calm piano", duration=1, seed=1)


class Converter(Protocol):
    """Turns published weights into the files of an installed model."""

    @property
    def model_types(self) -> tuple[str, ...]:
        """What ``model_type`` may be in config.json."""
        ...

    def companions(self, folder: Path) -> tuple[str, ...]:
        """Return the hub ids of the repositories that hold what the checkpoint lacks; raises ModelFileError."""
        ...

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> Architecture:  # fmt: skip
        """Convert the checkpoint in ``folder`` into ``target``; raises ModelFileError for what is not one."""
        ...

    def try_out(self, folder: Path, manifest: Manifest) -> None:
        """Make a second of music with the converted model; raises ModelFileError where it cannot, OutOfResources."""
        ...


class MusicGenConverter:
    """The MusicGen family, in Hugging Face's layout and audiocraft's."""

    model_types = ("musicgen", "musicgen_melody")

    def __init__(self, available: Callable[[], int] = available_memory) -> None:
        """Convert; ``available`` returns the bytes of memory that a trial may take."""
        self._available = available

    def companions(self, folder: Path) -> tuple[str, ...]:
        """Return the hub ids of the text encoder and codec that an audiocraft checkpoint points to."""
        from tunesmith.musicgen.checkpoint import needed_companions

        return tuple(needed_companions(folder))

    def convert(
        self, folder: Path, companions: Mapping[str, Path], target: Path, quantization: str,
        progress: Callable[[float], None],
    ) -> Architecture:  # fmt: skip
        """Convert tensor by tensor."""
        from tunesmith.musicgen.checkpoint import open_checkpoint
        from tunesmith.musicgen.conversion import convert

        checkpoint = open_checkpoint(folder, companions)
        convert(checkpoint, target, quantization, progress)
        return checkpoint.architecture

    def try_out(self, folder: Path, manifest: Manifest) -> None:
        """Make a second of music. A model for a GPU is only opened where there is none."""
        from tunesmith.musicgen.model_folder import read_architecture

        for_gpu = is_for_gpu(manifest)
        if not for_gpu:
            check_memory(manifest, read_architecture(folder), self._available())
        try:
            if for_gpu and not _has_gpu():
                _open_parts(folder)
            else:
                _make_a_second(folder, manifest)
        except ModelFileError as error:
            raise ModelFileError(Path(error.file).name, error.problem) from error  # not where it was being built
        except (OutOfResources, OSError, MemoryError):
            raise
        except Exception as error:  # ONNX Runtime and the tokenizers raise classes of their own
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise ModelFileError(manifest.name, f"the model cannot make music: {reason}") from error


def is_for_gpu(manifest: Manifest) -> bool:
    """Tell whether the model was installed in the form that only a GPU's runner reads."""
    from tunesmith.musicgen.graph.quantization import FOR_GPU

    return manifest.quantization == FOR_GPU


def _has_gpu() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    from tunesmith.musicgen.torch.device import find_device

    try:
        return find_device("auto") != "cpu"
    except InvalidRequest:
        return False


def _open_parts(folder: Path) -> None:
    """Open the tokenizer and the codec, which need no GPU."""
    from tunesmith.musicgen.model_folder import TOKENIZER, read_architecture
    from tunesmith.musicgen.onnx.onnx_codec import OnnxCodec
    from tunesmith.musicgen.onnx.sessions import ALL_CORES
    from tunesmith.musicgen.tokenizer import Tokenizer

    architecture = read_architecture(folder)
    Tokenizer(folder / TOKENIZER, architecture.text_encoder.vocabulary_size).encode(TRIAL.prompt)
    OnnxCodec(folder, architecture, ALL_CORES)


def _make_a_second(folder: Path, manifest: Manifest) -> None:
    import numpy as np

    from tunesmith.generator import never_cancelled, no_progress
    from tunesmith.musicgen.generator import MusicGenGenerator

    generator = MusicGenGenerator(folder, name=manifest.name, licence=manifest.licence, digest=manifest.digest)
    samples = generator.generate(TRIAL, no_progress, never_cancelled).samples
    if not np.isfinite(samples).all():
        raise ModelFileError(manifest.name, "the model makes sound that is not numbers (NaN or infinite)")
