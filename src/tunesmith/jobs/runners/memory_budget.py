"""Memory: what loading a model takes, and what there is; asked before a runner is started."""

from __future__ import annotations

from typing import Protocol

from tunesmith.errors import ModelFileError
from tunesmith.models.catalog import find_installed
from tunesmith.models.factories import COMPOSER
from tunesmith.models.resource_checks import available_memory, memory_needed, total_memory
from tunesmith.musicgen.architecture import GUIDED_ROWS
from tunesmith.musicgen.model_folder import read_architecture

COMPOSER_BYTES = 200_000_000


class Memory(Protocol):
    """Memory in bytes."""

    def needed(self, model: str, places: int) -> int:
        """Return what the model takes with so many tasks at once; 0 where nobody can know."""
        ...

    def available(self) -> int:
        """Return what may still be taken."""
        ...

    def total(self) -> int:
        """Return what there would be if nothing ran."""
        ...


class MachineMemory:
    """This machine's memory, or its container's."""

    def needed(self, model: str, places: int) -> int:
        """Estimate from the manifest; a model on a GPU, or of another package, counts as nothing."""
        if model == COMPOSER:
            return COMPOSER_BYTES
        try:
            installed = find_installed(model)
            if installed is None or installed.manifest.needs_gpu:
                return 0
            return memory_needed(installed.manifest, read_architecture(installed.folder), GUIDED_ROWS * places)
        except ModelFileError:  # the runner will say what is wrong with it
            return 0

    def available(self) -> int:
        """Ask the system."""
        return available_memory()

    def total(self) -> int:
        """Ask the system."""
        return total_memory()
