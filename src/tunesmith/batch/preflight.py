"""Preflight checks: the errors that a model would raise for each row, before anything is generated."""

from __future__ import annotations

from tunesmith.models.factories import COMPOSER
from tunesmith.models.registry import Registry
from tunesmith.request import GenerationRequest

SETTLED_IN_WRITING = ("hits", "without", "bars")
"""Fields that the composer can check only by writing the score."""


class LocalChecks:
    """Checks against the models on this machine; raises generation errors that can be known in advance."""

    def __init__(self) -> None:
        self._of_codes: dict[str, bool] = {}

    def __call__(self, request: GenerationRequest) -> None:
        """Check a request. Raises TunesmithError."""
        if request.model == COMPOSER:
            check_composed(request)
        elif self._is_musicgen(request.model):
            from tunesmith.text_prompt import reject_composer_only_fields

            reject_composer_only_fields(request)

    def _is_musicgen(self, model: str) -> bool:
        """Return whether the model is in the model store. Raises TunesmithError if there is no such model."""
        if model not in self._of_codes:
            # Imported late: a batch for the composer alone needs no model catalogue.
            from tunesmith.models.catalog import Origin, find_model

            found = find_model(model)
            origin = found.origin if found else None
            self._of_codes[model] = origin is Origin.INSTALLED
            if origin not in (Origin.INSTALLED, Origin.PLUGIN):
                # This raises the usual error for an unknown model.
                Registry.discover().create(model)
        return self._of_codes[model]


def check_for_server(request: GenerationRequest) -> None:
    """Check a request for a server: the composer's here; only the server knows its other models."""
    if request.model == COMPOSER:
        check_composed(request)


def check_composed(request: GenerationRequest) -> None:
    """Check a request for the composer, by writing the score if only that tells. Raises TunesmithError."""
    from tunesmith.composer.composition import check_request, compose

    if any(getattr(request, field) for field in SETTLED_IN_WRITING):
        compose(request)
    else:
        check_request(request)
