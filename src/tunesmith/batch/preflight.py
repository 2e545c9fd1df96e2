"""Preflight checks: the errors that a model would raise for each row, before anything is generated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.composed.composition_request import composition_request
from tunesmith.models.factories import COMPOSER
from tunesmith.models.registry import Registry
from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.models.families.family import ModelFamily

SETTLED_IN_WRITING = ("hits", "without", "bars")
"""Fields that the composer can check only by writing the score."""


class LocalChecks:
    """Checks against the models on this machine; raises generation errors that can be known in advance."""

    def __init__(self) -> None:
        self._families: dict[str, ModelFamily | None] = {}

    def __call__(self, request: GenerationRequest) -> None:
        """Check a request. Raises TunesmithError."""
        if request.model == COMPOSER:
            check_composed(request)
            return
        family = self._family_of(request.model)
        if request.follows_composer:
            # Bars, hits and the like are the composition's then, which no model has to know.
            check_composed(composition_request(request))
        elif family:
            family.check_request(request)

    def _family_of(self, model: str) -> ModelFamily | None:
        """Return the family of an installed model, None for others. Raises TunesmithError if there is no such model."""
        if model not in self._families:
            # Imported late: a batch for the composer alone needs no model catalogue.
            from tunesmith.models.catalog import Origin, find_model
            from tunesmith.models.families.table import family_of

            found = find_model(model)
            installed = found.installed if found else None
            self._families[model] = family_of(installed.manifest) if installed else None
            if found is None or found.origin not in (Origin.INSTALLED, Origin.PLUGIN):
                # This raises the usual error for an unknown model.
                Registry.discover().create(model)
        return self._families[model]


def check_for_server(request: GenerationRequest) -> None:
    """Check a request for a server: the composer's here; only the server knows its other models."""
    if request.model == COMPOSER:
        check_composed(request)


def check_composed(request: GenerationRequest) -> None:
    """Check a request for the composer, by writing the score if only that tells. Raises TunesmithError."""
    from tunesmith.composer.check_request import check_request
    from tunesmith.composer.composition import compose

    if request.score is not None or any(getattr(request, field) for field in SETTLED_IN_WRITING):
        compose(request)
    else:
        check_request(request)
