"""Checks: what a model would say to a request, asked of every row before anything is made."""

from __future__ import annotations

from tunesmith.models.factories import COMPOSER
from tunesmith.models.registry import Registry
from tunesmith.request import GenerationRequest

SETTLED_IN_WRITING = ("hits", "without", "bars")
"""Wishes of which the composer finds out only while it writes whether they can be granted."""


class LocalChecks:
    """Asks the models of this machine; raises what making a request would raise, as far as that is known before."""

    def __init__(self) -> None:
        self._of_codes: dict[str, bool] = {}

    def __call__(self, request: GenerationRequest) -> None:
        """Check a request; raises TunesmithError."""
        if request.model == COMPOSER:
            check_composed(request)
        elif self._is_musicgen(request.model):
            from tunesmith.text_prompt import reject_composer_only_fields

            reject_composer_only_fields(request)

    def _is_musicgen(self, model: str) -> bool:
        """Whether the model is one of the store; raises TunesmithError where there is no such model at all."""
        if model not in self._of_codes:
            from tunesmith.models.catalog import Origin, find_model

            found = find_model(model)
            origin = found.origin if found else None
            self._of_codes[model] = origin is Origin.INSTALLED
            if origin not in (Origin.INSTALLED, Origin.PLUGIN):
                Registry.discover().create(model)
        return self._of_codes[model]


def check_for_server(request: GenerationRequest) -> None:
    """Check a request that a server is to make: the composer's are known here, other models it alone knows."""
    if request.model == COMPOSER:
        check_composed(request)


def check_composed(request: GenerationRequest) -> None:
    """Read what the composer is asked for, and write it out where only that tells; raises TunesmithError."""
    from tunesmith.composer.composition import check_request, compose

    if any(getattr(request, wish) for wish in SETTLED_IN_WRITING):
        compose(request)
    else:
        check_request(request)
