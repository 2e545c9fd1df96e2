"""Modules that take seconds to import, for the few tests that need them: each worker collects every test there is."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """A module that is imported when something of it is first asked for.

    For a type checker it is no module, so the import it stands for is written beside it, under ``TYPE_CHECKING``.
    """

    def __getattr__(self, name: str) -> Any:
        # What pytest asks everything for that it finds in a file of tests.
        if name.startswith("_") or name == "pytestmark":
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)
