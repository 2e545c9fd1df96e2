"""Checks: what a model would say to a request, asked of every row before anything is made."""

from __future__ import annotations

from tunesmith.generator import Registry
from tunesmith.jobs.runners.memory_budget import COMPOSER
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
            from tunesmith.models.installed_generators import find_installed

            registry = Registry.discover()
            is_of_a_package = model in registry.names()
            self._of_codes[model] = not is_of_a_package and find_installed(model) is not None
            if not self._of_codes[model] and not is_of_a_package:
                registry.create(model)
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
