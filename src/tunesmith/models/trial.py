"""Trial: one second of audio from a converted model, before it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from tunesmith.errors import InvalidRequest, ModelFileError, OutOfResources
from tunesmith.models.manifest import Manifest
from tunesmith.models.resource_checks import available_memory, check_memory
from tunesmith.musicgen.model_folder import TOKENIZER, read_architecture
from tunesmith.request import GenerationRequest

TRIAL = GenerationRequest(prompt="calm piano", duration=1, seed=1)


def try_out(folder: Path, manifest: Manifest, available: Callable[[], int] = available_memory) -> None:
    """Generate one second of audio to test a model; one for a GPU is only opened if there is no GPU.

    ``available`` returns the bytes of memory that the trial may take. Raises ModelFileError if the model cannot
    generate, OutOfResources if it does not fit into memory.
    """
    if not manifest.needs_gpu:
        check_memory(manifest, read_architecture(folder), available())
    try:
        if manifest.needs_gpu and not _has_gpu():
            _open_parts(folder)
        else:
            _generate_a_second(folder, manifest)
    except ModelFileError as error:
        # The temporary build folder means nothing to the user.
        raise ModelFileError(Path(error.file).name, error.problem) from error
    except (OutOfResources, OSError, MemoryError):
        raise
    # ONNX Runtime and the tokenizers raise error classes of their own.
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ModelFileError(manifest.name, f"the model cannot generate: {reason}") from error


def _has_gpu() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    from tunesmith.musicgen.torch.device import find_device

    try:
        return find_device("auto") != "cpu"
    except InvalidRequest:
        return False


def _open_parts(folder: Path) -> None:
    """Open the tokenizer and the codec, which run without a GPU."""
    from tunesmith.musicgen.onnx.onnx_codec import OnnxCodec
    from tunesmith.neural.sessions import ALL_CORES
    from tunesmith.neural.t5_tokenizer import Tokenizer

    architecture = read_architecture(folder)
    Tokenizer(folder / TOKENIZER, architecture.text_encoder.vocabulary_size).encode(TRIAL.prompt)
    OnnxCodec(folder, architecture, ALL_CORES)


def _generate_a_second(folder: Path, manifest: Manifest) -> None:
    import numpy as np

    from tunesmith.generator import never_cancelled, no_progress
    from tunesmith.musicgen.generator import MusicGenGenerator

    generator = MusicGenGenerator(folder, name=manifest.name, licence=manifest.licence, digest=manifest.digest)
    samples = generator.generate(TRIAL, no_progress, never_cancelled).samples
    # A quantization that overflows shows as NaN or infinity.
    if not np.isfinite(samples).all():
        raise ModelFileError(manifest.name, "the model generates samples that are NaN or infinite")
