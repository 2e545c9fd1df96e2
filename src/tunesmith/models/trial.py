"""Trial: one second of audio from a converted model, before it is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tunesmith.errors import ModelFileError, OutOfResources
from tunesmith.generator import never_cancelled, no_progress
from tunesmith.models.families.family import ModelFamily
from tunesmith.models.families.table import family_of
from tunesmith.models.manifest import Manifest
from tunesmith.models.resource_checks import available_memory, check_memory
from tunesmith.request import GenerationRequest

TRIAL = GenerationRequest(prompt="calm piano", duration=1, seed=1)


def try_out(folder: Path, manifest: Manifest, available: Callable[[], int] = available_memory) -> None:
    """Generate one second of audio to test a model; one for a GPU is only opened if there is no GPU.

    ``available`` returns the bytes of memory that the trial may take. Raises ModelFileError if the model cannot
    generate, OutOfResources if it does not fit into memory.
    """
    family = family_of(manifest)
    check_memory(manifest.name, family.memory_needed(folder, manifest), available())
    try:
        if family.can_generate(manifest):
            _generate_a_second(family, folder, manifest, available)
        else:
            family.open_parts(folder, manifest)
    except ModelFileError as error:
        # The temporary build folder means nothing to the user.
        raise ModelFileError(Path(error.file).name, error.problem) from error
    except (OutOfResources, OSError, MemoryError):
        raise
    # ONNX Runtime and the tokenizers raise error classes of their own.
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ModelFileError(manifest.name, f"the model cannot generate: {reason}") from error


def _generate_a_second(family: ModelFamily, folder: Path, manifest: Manifest, available: Callable[[], int]) -> None:
    generator = family.load(folder, manifest, available)
    family.check_trial(generator.generate(TRIAL, no_progress, never_cancelled), manifest)
