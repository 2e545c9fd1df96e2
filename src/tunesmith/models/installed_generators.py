"""Installed models as generators: what the registry asks when a name is none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.config import load_settings
from tunesmith.errors import InvalidRequest, ModelNotInstalled
from tunesmith.generator import Generator
from tunesmith.hosted.model_names import is_hosted
from tunesmith.models.conversion import is_for_gpu
from tunesmith.models.hosted_generators import licence_of
from tunesmith.models.integrity import verify
from tunesmith.models.licences import UNKNOWN, allows_commercial_use
from tunesmith.models.pullable import catalogue, find_entry
from tunesmith.models.resource_checks import available_memory, check_memory, plan_batch
from tunesmith.models.store import RESERVED, InstalledModel, Store
from tunesmith.musicgen.architecture import GUIDED_ROWS
from tunesmith.musicgen.model_folder import read_architecture

if TYPE_CHECKING:
    from tunesmith.musicgen.engine import Engine
    from tunesmith.musicgen.open_engine import Device


def generator_for(name: str) -> Generator | None:
    """Return a generator that runs the installed model, or None where the name is no model's.

    The name may also be a hub id. Raises ModelNotInstalled for a model of the catalogue that is not installed,
    ModelFileError where one of its files has changed, OutOfResources where it cannot fit into memory.
    """
    model = find_installed(name)
    if model:
        return load(model)
    entry = find_entry(name)
    if entry:
        raise ModelNotInstalled(f"{entry.name} is not installed; install it with: tunesmith pull {entry.name}")
    return None


def known_names() -> tuple[str, ...]:
    """Return the names of the installed models and of the catalogue."""
    return tuple({model.name: None for model in Store.default().models()} | dict.fromkeys(catalogue()))


def find_installed(name: str) -> InstalledModel | None:
    """Find an installed model by its name, by an alias of the catalogue, or by the hub id it came from."""
    store = Store.default()
    entry = find_entry(name)
    model = store.find(entry.name if entry else name)
    if model or "/" not in name:
        return model
    return next((one for one in store.models() if one.manifest.source.location == name), None)


def load(model: InstalledModel) -> Generator:
    """Verify the model's files, see that it fits into memory (but on a GPU, which has its own), and open it."""
    manifest = model.manifest
    verify(model.folder, manifest)
    if not is_for_gpu(manifest):
        check_memory(manifest, read_architecture(model.folder), available_memory())
    from tunesmith.musicgen.generator import MusicGenGenerator

    return MusicGenGenerator(
        model.folder, name=manifest.name, licence=manifest.licence, digest=manifest.digest,
        engine_factory=lambda _, num_rows: _open_engine(model, num_rows),
    )  # fmt: skip


def _open_engine(model: InstalledModel, num_rows: int) -> Engine:
    """Open the model for one caller, or for many as far as memory reaches."""
    from tunesmith.musicgen.onnx.sessions import SessionOptions
    from tunesmith.musicgen.open_engine import EngineOptions, open_engine  # ONNX Runtime is loaded only now

    settings, keep_text_encoder = load_settings(), False
    if num_rows > GUIDED_ROWS:
        free = _free_on_device(settings.device) if is_for_gpu(model.manifest) else available_memory()
        plan = plan_batch(model.manifest, read_architecture(model.folder), num_rows, free)
        num_rows, keep_text_encoder = plan.num_rows, plan.keep_text_encoder
    sessions = SessionOptions(settings.threads)
    options = EngineOptions(num_rows, sessions, keep_text_encoder=keep_text_encoder, device=settings.device)
    return open_engine(model.folder, options)


def _free_on_device(device: Device) -> int:
    from tunesmith.musicgen.torch.device import find_device, free_memory

    free = free_memory(find_device(device))
    return available_memory() if free is None else free


def check_commercial_use(name: str) -> None:
    """Raise InvalidRequest unless what the model makes may be used commercially, as far as its licence tells."""
    if name in RESERVED:
        return
    if is_hosted(name):
        model, entry, licence = None, None, licence_of(name)
    else:
        model, entry = find_installed(name), find_entry(name)
        licence = model.manifest.licence if model else entry.licence if entry else UNKNOWN
    allowed = model.manifest.commercial_use if model else allows_commercial_use(licence)
    if allowed is None:
        raise InvalidRequest("commercial_safe", f"whether {name} may be used commercially is not known: {licence}")
    if not allowed:
        raise InvalidRequest("commercial_safe", f"the licence of {name}, {licence}, does not allow commercial use")
