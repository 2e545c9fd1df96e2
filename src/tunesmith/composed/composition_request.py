"""The composer's request for the guide of a request."""

from __future__ import annotations

from tunesmith.request import COMPOSED_ENDINGS, NEURAL_FIELDS, GenerationRequest

NOT_COMPOSED = frozenset({"model", "sample_rate", "mono", *NEURAL_FIELDS})
"""Fields that say nothing about the composition."""


def composition_request(request: GenerationRequest) -> GenerationRequest:
    """Return the composer's request for the guide of a request: its score, stems and notes are those of the guide."""
    fields = {name: getattr(request, name) for name in request.model_fields_set - NOT_COMPOSED}
    # Big, soft and faded endings are written; the others are the sound's.
    if request.ending in COMPOSED_ENDINGS:
        fields["ending"] = request.ending
    return GenerationRequest.checked(**fields)
