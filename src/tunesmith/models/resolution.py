"""Which model makes what a caller asks for: the one named, or a declared stand-in."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.config import load_settings
from tunesmith.errors import ModelNotInstalled, UnknownName
from tunesmith.generator import Registry
from tunesmith.hosted.model_names import is_hosted, read_name
from tunesmith.models.hosted_generators import check_open
from tunesmith.models.installed_generators import find_installed, known_names
from tunesmith.models.pullable import catalogue, find_entry
from tunesmith.models.store import InstalledModel

COMPOSER = "composer"
FAMILY = ("meta/musicgen",)
"""Names that mean no MusicGen in particular: the first of the catalogue that is installed."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """``asked`` for, and ``generated_by``; they differ in kind where the composer stands in."""

    asked: str
    generated_by: str
    is_stand_in: bool


def _any_installed() -> InstalledModel | None:
    found = (find_installed(name) for name in catalogue())
    return next((model for model in found if model), None)


def resolve(name: str, *, stand_ins: bool = True) -> ResolvedModel:
    """Find the model; raises UnknownName, or ModelNotInstalled where nothing may stand in for it.

    Raises InvalidRequest for a hosted model that is not open to callers.
    """
    if is_hosted(name):
        check_open(name, load_settings().hosted_models)
        return ResolvedModel(name, str(read_name(name)), is_stand_in=False)
    registry = Registry.discover()
    if name in registry.names():
        return ResolvedModel(name, name, is_stand_in=False)
    installed = find_installed(name) or (_any_installed() if name.lower() in FAMILY else None)
    if installed:
        return ResolvedModel(name, installed.manifest.name, is_stand_in=False)
    entry = find_entry(name)
    if entry is None:
        raise UnknownName("model", name, [*registry.names(), *known_names()])
    if not stand_ins:
        raise ModelNotInstalled(f"{entry.name} is not installed; install it with: tunesmith pull {entry.name}")
    return ResolvedModel(name, COMPOSER, is_stand_in=True)
