"""The composer's request for the guide of a request."""

from __future__ import annotations

from tunesmith.request import NEURAL_FIELDS, GenerationRequest

NOT_COMPOSED = frozenset({"model", "sample_rate", "mono", *NEURAL_FIELDS})
"""Fields that say nothing about the composition."""


def composition_request(request: GenerationRequest) -> GenerationRequest:
    """Return the composer's request for the guide of a request: its score, stems and notes are those of the guide."""
    fields = {name: getattr(request, name) for name in request.model_fields_set - NOT_COMPOSED}
    return GenerationRequest.checked(**fields)
