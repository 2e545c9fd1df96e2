"""Resolution: which model generates what a request names: the model itself, or the composer as its fallback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tunesmith.config import load_settings
from tunesmith.errors import InvalidRequest
from tunesmith.models.catalog import (
    ModelInfo,
    Origin,
    find_installed,
    find_model,
    not_installed,
    pullable_models,
    unknown_model,
)
from tunesmith.models.factories import COMPOSER
from tunesmith.models.store import InstalledModel

FAMILY = ("meta/musicgen",)
"""Names that mean no MusicGen in particular: the first of the catalog that is installed."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """``asked`` for, and ``generated_by``; they differ in kind where the composer stands in."""

    asked: str
    generated_by: str
    is_stand_in: bool


def resolve(name: str, *, stand_ins: bool = True) -> ResolvedModel:
    """Find the model; raises UnknownName, or ModelNotInstalled where nothing may stand in for it.

    Raises InvalidRequest for a hosted model that is not open to callers.
    """
    model = find_model(name)
    if model is None:
        raise unknown_model(name)
    if model.origin is Origin.HOSTED:
        _check_open(model, load_settings().hosted_models)
    if model.is_ready:
        return ResolvedModel(name, model.name, is_stand_in=False)
    return _fallback(name, model, stand_ins=stand_ins)


def _check_open(model: ModelInfo, open_models: Iterable[str]) -> None:
    """Raise InvalidRequest unless a server lets its callers use the hosted model, whose cost is not theirs."""
    for name in open_models:
        # An owner stands for all its models, but not for endpoints, whose names are addresses.
        is_of_owner = name.endswith("/*") and "://" not in model.name and model.name.startswith(name[:-1])
        if model.name == name or is_of_owner:
            return
    raise InvalidRequest("model", f"{model.name} is not open to callers here; the setting hosted_models names what is")


def _fallback(name: str, model: ModelInfo, *, stand_ins: bool) -> ResolvedModel:
    """Return what generates in place of a model that is not installed."""
    installed = _any_installed() if name.lower() in FAMILY else None
    if installed:
        return ResolvedModel(name, installed.name, is_stand_in=False)
    if not stand_ins:
        raise not_installed(model)
    return ResolvedModel(name, COMPOSER, is_stand_in=True)


def _any_installed() -> InstalledModel | None:
    found = (find_installed(name) for name in pullable_models())
    return next((model for model in found if model), None)
