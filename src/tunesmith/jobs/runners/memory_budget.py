"""The memory budget: what a model needs, and what is available; checked before a runner starts."""

from __future__ import annotations

from tunesmith.errors import ModelFileError
from tunesmith.models.catalog import find_installed
from tunesmith.models.factories import COMPOSER
from tunesmith.models.resource_checks import available_memory, memory_needed, total_memory
from tunesmith.musicgen.architecture import GUIDED_ROWS
from tunesmith.musicgen.model_folder import read_architecture

COMPOSER_BYTES = 200_000_000


class MachineMemory:
    """The memory of this machine, or of its container, in bytes."""

    def needed(self, model: str, places: int) -> int:
        """Estimate what a model needs with ``places`` tasks at once; one on a GPU, or of a plugin, counts as 0."""
        if model == COMPOSER:
            return COMPOSER_BYTES
        try:
            installed = find_installed(model)
            if installed is None or installed.manifest.needs_gpu:
                return 0
            return memory_needed(installed.manifest, read_architecture(installed.folder), GUIDED_ROWS * places)
        except ModelFileError:
            # The runner reports what is wrong with the model.
            return 0

    def available(self) -> int:
        """Return what the operating system reports as available."""
        return available_memory()

    def total(self) -> int:
        """Return what the operating system reports as total."""
        return total_memory()
