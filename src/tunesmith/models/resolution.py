"""Resolution: the model that serves a request: the requested one, or the composer as its fallback."""

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


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The requested model, ``requested``, and the one that generates; ``is_fallback`` states that it is a fallback."""

    requested: str
    generated_by: str
    is_fallback: bool


def resolve(name: str, *, allow_fallback: bool = True) -> ResolvedModel:
    """Resolve a model name; without ``allow_fallback`` there is no fallback.

    Raises UnknownName, ModelNotInstalled if the model must be pulled and there is no fallback, and InvalidRequest for a
    hosted model that is not open to callers.
    """
    # The built-in model, which no other may replace, needs no search in the catalog.
    if name == COMPOSER:
        return ResolvedModel(name, COMPOSER, is_fallback=False)
    model = find_model(name)
    if model is None:
        raise unknown_model(name)
    if model.origin is Origin.HOSTED:
        _check_open(model, load_settings().hosted_models)
    if model.is_ready:
        return ResolvedModel(name, model.name, is_fallback=False)
    return _fallback(name, model, allow_fallback=allow_fallback)


def _check_open(model: ModelInfo, open_models: Iterable[str]) -> None:
    """Raise InvalidRequest unless the hosted model is open to callers, who do not pay for its calls."""
    for name in open_models:
        # An owner opens all its models, but no endpoints, whose names are URLs.
        is_of_owner = name.endswith("/*") and "://" not in model.name and model.name.startswith(name[:-1])
        if model.name == name or is_of_owner:
            return
    raise InvalidRequest(
        "model", f"{model.name} is not allowed on this server; the setting hosted_models lists the allowed models"
    )


def _fallback(name: str, model: ModelInfo, *, allow_fallback: bool) -> ResolvedModel:
    """Return the fallback for a model that is not installed. Raises ModelNotInstalled."""
    # The families import NumPy, which requests for the composer do without.
    from tunesmith.models.families.table import family_named

    family = family_named(name)
    # The first installed model of the catalog serves the name of a whole family.
    installed = _any_installed(family.kind) if family else None
    if installed:
        return ResolvedModel(name, installed.name, is_fallback=False)
    if not allow_fallback:
        raise not_installed(model)
    return ResolvedModel(name, COMPOSER, is_fallback=True)


def _any_installed(kind: str) -> InstalledModel | None:
    found = (find_installed(name) for name in pullable_models())
    return next((model for model in found if model and model.manifest.sizes.kind == kind), None)
