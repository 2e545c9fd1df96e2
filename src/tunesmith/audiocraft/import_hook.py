"""The import hook: ``import audiocraft…`` finds the modules of this package, for one script or one notebook."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from tunesmith.audiocraft.unsupported_names import PACKAGE, refuse

REPLACED = "audiocraft"
FILES = "torchaudio"
"""The package that scripts for AudioCraft read and write files with."""
FILES_HERE = f"{PACKAGE}.torchaudio_files"


class AudioCraftFinder(MetaPathFinder):
    """Finds ``audiocraft`` and the names below it in this package; other names are left to the other finders.

    Where torchaudio is not installed, its functions for files are found here too.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None  # noqa: ARG002
    ) -> ModuleSpec | None:  # fmt: skip
        """Return where a name is. Raises ImportError, with what to use instead, for one that is not here."""
        name, _, below = fullname.partition(".")
        if fullname == FILES and not any(finder.find_spec(FILES, None) for finder in _others()):
            warnings.warn("torchaudio is not installed: its load, save and info are Tunesmith's", stacklevel=2)
            return ModuleSpec(FILES, _SameModule(import_module(FILES_HERE)))
        if name != REPLACED:
            return None
        here = f"{PACKAGE}.{below}" if below else PACKAGE
        if below and not _exists(here):
            refuse(below)
        module = import_module(here)
        return ModuleSpec(fullname, _SameModule(module), is_package=hasattr(module, "__path__"))


class _SameModule(Loader):
    """Loads a name as a module that is already loaded under another."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002
        """Return the module."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Keep the module's own spec, which the import system replaces."""
        module.__spec__ = self._spec


def _others() -> Iterator[Any]:
    """Yield the finders of the import system besides this one."""
    return (finder for finder in sys.meta_path if not isinstance(finder, AudioCraftFinder))


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    # The parent is a module and no package.
    except ModuleNotFoundError:
        return False


def install() -> None:
    """Let ``import audiocraft…`` mean this package from now on, also where the real one is installed."""
    if not any(isinstance(finder, AudioCraftFinder) for finder in sys.meta_path):
        if REPLACED in sys.modules:
            warnings.warn("audiocraft was imported already: run the cells that import from it again", stacklevel=3)
        _forget()
        sys.meta_path.insert(0, AudioCraftFinder())


def uninstall() -> None:
    """Undo ``install``: the next ``import audiocraft`` finds the real one, if it is installed."""
    if any(isinstance(finder, AudioCraftFinder) for finder in sys.meta_path):
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, AudioCraftFinder)]
        _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == REPLACED]:
        del sys.modules[name]
    if FILES in sys.modules and sys.modules[FILES] is sys.modules.get(FILES_HERE):
        del sys.modules[FILES]


@contextmanager
def installed() -> Iterator[None]:
    """Let ``import audiocraft…`` mean this package inside the block."""
    install()
    try:
        yield
    finally:
        uninstall()


def load_ipython_extension(_ipython: Any) -> None:
    """Run ``%load_ext tunesmith.audiocraft``: the cells after it import this package as ``audiocraft``."""
    install()


def unload_ipython_extension(_ipython: Any) -> None:
    """Run ``%unload_ext tunesmith.audiocraft``."""
    uninstall()
