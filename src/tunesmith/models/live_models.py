"""Models that play live streams: the one that a caller names, or the first that is installed."""

from __future__ import annotations

from tunesmith.errors import InvalidRequest, ModelNotInstalled
from tunesmith.models.catalog import ModelInfo, find_model, list_models, pullable_models
from tunesmith.models.resolution import resolve


def live_model(name: str | None) -> ModelInfo:
    """Return a model that plays live. Raises UnknownName, ModelNotInstalled, and InvalidRequest for one that cannot."""
    if name is None:
        return _first_installed()
    model = find_model(resolve(name, allow_fallback=False).generated_by)
    if model is None or not model.plays_live:
        raise InvalidRequest("model", f"{name} cannot play live")
    return model


def _first_installed() -> ModelInfo:
    found = next((model for model in list_models() if model.plays_live), None)
    if found is not None:
        return found
    known = next((name for name, model in pullable_models().items() if model.could_play_live), None)
    hint = f"; install one with: tunesmith pull {known}" if known else ""
    raise ModelNotInstalled(f"no model that plays live is installed{hint}")
