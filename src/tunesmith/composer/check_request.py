"""The check of a request for the composer, which needs no sound to be loaded."""

from __future__ import annotations

from tunesmith.composer.brief import Brief
from tunesmith.composer.prompt import read_brief
from tunesmith.errors import InvalidRequest
from tunesmith.request import NEURAL_FIELDS, GenerationRequest


def check_request(request: GenerationRequest) -> Brief:
    """Return the brief of a request; raise InvalidRequest for impossible or contradictory fields."""
    for field_name in NEURAL_FIELDS:
        value = getattr(request, field_name)
        if value not in (None, ()):
            raise InvalidRequest(field_name, f"only neural models support it, not the composer, got {str(value)!r}")
    return read_brief(request)
