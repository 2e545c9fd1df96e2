"""Installed models as generators: verified, checked against the available memory, and opened on the first request."""

from __future__ import annotations

from tunesmith.generator import Generator
from tunesmith.models.catalog import find_installed, find_pullable, not_installed
from tunesmith.models.families.table import family_of
from tunesmith.models.integrity import verify
from tunesmith.models.resource_checks import available_memory, check_memory
from tunesmith.models.store import InstalledModel


def generator_for(name: str) -> Generator | None:
    """Return a generator that runs the installed model, or None for any other name.

    The name may also be a hub id. Raises ModelNotInstalled for a model that must be pulled first, ModelFileError if one
    of its files has changed, OutOfResources if it cannot fit into memory.
    """
    model = find_installed(name)
    if model:
        return load(model)
    pullable = find_pullable(name)
    if pullable:
        raise not_installed(pullable)
    return None


def load(model: InstalledModel) -> Generator:
    """Check a model and return its generator. Raises what ``check_runnable`` raises."""
    check_runnable(model)
    return family_of(model.manifest).load(model.folder, model.manifest, _free_memory)


def check_runnable(model: InstalledModel) -> None:
    """Verify the model's files and check that it fits into memory. Raises ModelFileError and OutOfResources."""
    manifest = model.manifest
    verify(model.folder, manifest)
    needed = family_of(manifest).memory_needed(model.folder, manifest)
    check_memory(manifest.name, needed, available_memory())


def _free_memory() -> int:
    # Asked when the model is opened, not when it is found.
    return available_memory()
