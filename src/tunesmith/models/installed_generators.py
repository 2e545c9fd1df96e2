"""Installed models as generators: verified, checked against the available memory, and opened on the first request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.config import load_settings
from tunesmith.generator import Generator
from tunesmith.models.catalog import find_installed, find_pullable, not_installed
from tunesmith.models.integrity import verify
from tunesmith.models.manifest import read_manifest
from tunesmith.models.resource_checks import available_memory, check_memory, plan_batch
from tunesmith.models.store import InstalledModel
from tunesmith.musicgen.architecture import GUIDED_ROWS
from tunesmith.musicgen.model_folder import read_architecture

if TYPE_CHECKING:
    from tunesmith.musicgen.engine import Engine
    from tunesmith.musicgen.open_engine import Device


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
    """Verify the model's files, check that it fits into memory, and return its generator.

    Raises ModelFileError and OutOfResources.
    """
    manifest = model.manifest
    verify(model.folder, manifest)
    # A GPU has its own memory.
    if not manifest.needs_gpu:
        check_memory(manifest, read_architecture(model.folder), available_memory())
    from tunesmith.musicgen.generator import MusicGenGenerator

    return MusicGenGenerator(
        model.folder, name=manifest.name, licence=manifest.licence, digest=manifest.digest,
        engine_factory=open_within_memory,
    )  # fmt: skip


def open_within_memory(folder: Path, num_rows: int) -> Engine:
    """Open the engine of an installed model, for one caller or for as many as the memory allows.

    ``num_rows`` is the maximum number of sequences that run at once; the engine may have room for fewer. Raises
    ModelFileError if a file is missing or broken.
    """
    # ONNX Runtime takes long to import, so it is loaded only now.
    from tunesmith.musicgen.open_engine import EngineOptions, open_engine
    from tunesmith.neural.sessions import SessionOptions

    settings, keep_text_encoder = load_settings(), False
    # More rows are optional, so they get only memory that is free.
    if num_rows > GUIDED_ROWS:
        manifest = read_manifest(folder)
        free = _free_on_device(settings.device) if manifest.needs_gpu else available_memory()
        plan = plan_batch(manifest, read_architecture(folder), num_rows, free)
        num_rows, keep_text_encoder = plan.num_rows, plan.keep_text_encoder
    sessions = SessionOptions(settings.threads)
    options = EngineOptions(num_rows, sessions, keep_text_encoder=keep_text_encoder, device=settings.device)
    return open_engine(folder, options)


def _free_on_device(device: Device) -> int:
    from tunesmith.musicgen.torch.device import find_device, free_memory

    free = free_memory(find_device(device))
    return available_memory() if free is None else free
