"""Store: the folder of installed models, one subfolder each, and of the downloads they are built from.

::

    models/
        musicgen-small/            manifest.json, graphs, tokenizer: an installed model
        musicgen-small.partial/    a pull under way, or one that was interrupted; the next one replaces it
    downloads/
        facebook--musicgen-small/  originals, until they are converted
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tunesmith.config import load_settings
from tunesmith.errors import InvalidRequest, ModelFileError, UnknownName
from tunesmith.models.factories import COMPOSER
from tunesmith.models.manifest import Manifest, read_manifest
from tunesmith.plain_text import is_text

PARTIAL, REPLACED, LOCK = ".partial", ".replaced", ".lock"
MAX_NAME = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """An installed model: its folder and its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The name of the model in requests."""
        return self.manifest.name


@dataclass(frozen=True, slots=True)
class Store:
    """The model store under a folder, which need not exist yet."""

    folder: Path

    @classmethod
    def default(cls) -> Store:
        """Return the store in the user's ``data_dir``."""
        return cls(load_settings().data_dir.expanduser())

    @property
    def models_folder(self) -> Path:
        """The folder of installed models."""
        return self.folder / "models"

    def download_folder(self, hub_id: str) -> Path:
        """Return the folder for the downloaded files of a repository."""
        return self.folder / "downloads" / hub_id.replace("/", "--")

    def models(self) -> tuple[InstalledModel, ...]:
        """Return all installed models, sorted by name; folders without a valid manifest are skipped."""
        if not self.models_folder.is_dir():
            return ()
        found = (self._model(folder.name) for folder in sorted(self.models_folder.iterdir()))
        return tuple(model for model in found if model)

    def find(self, name: str) -> InstalledModel | None:
        """Return the model with this name, or None. Raises ModelFileError if its manifest is broken."""
        # Checked first, because the name becomes a path.
        if not is_model_name(name) or not (self.models_folder / name).is_dir():
            return None
        return InstalledModel(self.models_folder / name, read_manifest(self.models_folder / name))

    def get(self, name: str) -> InstalledModel:
        """Return the model with this name. Raises UnknownName with the nearest names, ModelFileError if broken."""
        model = self.find(name)
        if model is None:
            raise UnknownName("installed model", name, [model.name for model in self.models()])
        return model

    def remove(self, name: str) -> None:
        """Remove a model, also a broken or partial one.

        Raises UnknownName, and InvalidRequest if another process installs or removes it.
        """
        folders = [self.models_folder / f"{name}{ending}" for ending in ("", PARTIAL, REPLACED)]
        there = [folder for folder in folders if is_model_name(name) and folder.is_dir()]
        if not there:
            raise UnknownName("installed model", name, [model.name for model in self.models()])
        with self._locked_model(name):
            for folder in there:
                remove_folder(folder)

    @contextmanager
    def pulling(self) -> Iterator[None]:
        """Hold the lock for pulls, which share the downloads. Raises InvalidRequest if another pull runs.

        Raises InvalidRequest too if the path is not UTF-8, which the libraries that open models require.
        """
        if not is_text(str(self.models_folder)):
            raise InvalidRequest("setting data_dir", f"must be UTF-8 to store models, got {self.folder}")
        with self._locked("pull", self.folder, "another model is being pulled; wait until it finishes"):
            yield

    @contextmanager
    def building(self, name: str) -> Iterator[Path]:
        """Yield an empty folder to build a model in, and move it into place at the end.

        If the block fails, the folder is removed and an older model stays. Only one build per name at a time.
        """
        check_model_name(name)
        place, partial, replaced = (self.models_folder / f"{name}{ending}" for ending in ("", PARTIAL, REPLACED))
        with self._locked_model(name):
            remove_folder(partial)
            partial.mkdir()
            try:
                yield partial
                # A build without a valid manifest must not replace an older model.
                read_manifest(partial)
                _put_in_place(partial, place, replaced)
            finally:
                remove_folder(partial)

    def _locked_model(self, name: str) -> AbstractContextManager[None]:
        problem = f"{name} is being installed or removed by another process"
        return self._locked(name, self.models_folder, problem)

    @contextmanager
    def _locked(self, name: str, folder: Path, problem: str) -> Iterator[None]:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name}{LOCK}")
        try:
            # A second pull fails at once instead of waiting for minutes.
            lock.acquire(timeout=0)
        except Timeout:
            raise InvalidRequest("model", problem) from None
        try:
            yield
        finally:
            lock.release()

    def _model(self, name: str) -> InstalledModel | None:
        try:
            return self.find(name)
        except ModelFileError:
            return None


def is_model_name(name: str) -> bool:
    """Return whether a model may have this name, which is also the name of a folder on every operating system."""
    # These endings belong to the store itself, and Windows drops a final dot.
    ends_well = not name.endswith((PARTIAL, REPLACED, LOCK, "."))
    return ends_well and len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None


def check_model_name(name: str) -> None:
    """Check the name of a new model. Raises InvalidRequest."""
    if name == COMPOSER:
        raise InvalidRequest("name", f"{name!r} is taken by a built-in generator")
    if not is_model_name(name):
        allowed = f"must be at most {MAX_NAME} of a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit"
        raise InvalidRequest("name", f"{allowed}, got {name[:80]!r}; give another with --name")


def _put_in_place(partial: Path, place: Path, replaced: Path) -> None:
    remove_folder(replaced)
    if place.exists():
        # A folder cannot be replaced atomically everywhere, so the old one moves aside and comes back on failure.
        place.replace(replaced)
    try:
        partial.replace(place)
    except OSError:
        if replaced.exists():
            replaced.replace(place)
        raise
    remove_folder(replaced)


def remove_folder(folder: Path) -> None:
    """Remove a folder with its content, if it exists."""
    if folder.exists():
        shutil.rmtree(folder)
