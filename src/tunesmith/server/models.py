"""Which model makes what a caller asks for: the one named, or a declared stand-in."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.errors import ModelNotInstalled, UnknownName
from tunesmith.generator import Registry
from tunesmith.models.catalogue import find_entry
from tunesmith.models.installed import find_installed, known_names

COMPOSER = "composer"


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """``asked`` for, and ``generated_by``; they differ in kind where the composer stands in."""

    asked: str
    generated_by: str
    is_stand_in: bool


def resolve(name: str, *, stand_ins: bool = True) -> ResolvedModel:
    """Find the model; raises UnknownName, or ModelNotInstalled where nothing may stand in for it."""
    registry = Registry.discover()
    if name in registry.names():
        return ResolvedModel(name, name, is_stand_in=False)
    installed = find_installed(name)
    if installed:
        return ResolvedModel(name, installed.manifest.name, is_stand_in=False)
    entry = find_entry(name)
    if entry is None:
        raise UnknownName("model", name, [*registry.names(), *known_names()])
    if not stand_ins:
        raise ModelNotInstalled(f"{entry.name} is not installed; install it with: tunesmith pull {entry.name}")
    return ResolvedModel(name, COMPOSER, is_stand_in=True)
