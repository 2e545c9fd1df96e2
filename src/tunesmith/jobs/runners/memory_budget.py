"""The memory budget: what a model needs, and what is available; checked before a runner starts."""

from __future__ import annotations

from typing import Protocol

from tunesmith.errors import ModelFileError
from tunesmith.models.catalog import find_installed
from tunesmith.models.factories import COMPOSER
from tunesmith.models.families.table import family_of
from tunesmith.models.resource_checks import available_memory, total_memory

COMPOSER_BYTES = 200_000_000


class Memory(Protocol):
    """The memory of a machine, in bytes."""

    def needed(self, model: str, places: int) -> int:
        """Return the bytes that the model needs with ``places`` tasks at once; 0 if unknown."""
        ...

    def available(self) -> int:
        """Return the bytes that may still be allocated."""
        ...

    def total(self) -> int:
        """Return the bytes of memory in all."""
        ...


class MachineMemory:
    """The memory of this machine, or of its container."""

    def needed(self, model: str, places: int) -> int:
        """Estimate from the manifest; a model on a GPU, or of a plugin, counts as 0."""
        if model == COMPOSER:
            return COMPOSER_BYTES
        try:
            installed = find_installed(model)
            if installed is None:
                return 0
            return family_of(installed.manifest).memory_needed(installed.folder, installed.manifest, places)
        except ModelFileError:
            # The runner reports what is wrong with the model.
            return 0

    def available(self) -> int:
        """Return what the operating system reports as available."""
        return available_memory()

    def total(self) -> int:
        """Return what the operating system reports as total."""
        return total_memory()
