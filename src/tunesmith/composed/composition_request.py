"""The composer's request for the piece of a request that another model plays."""

from __future__ import annotations

from tunesmith.request import COMPOSED_ENDINGS, NEURAL_FIELDS, GenerationRequest

NOT_COMPOSED = frozenset({"model", "sample_rate", "mono", *NEURAL_FIELDS})
"""Fields that say nothing about the composition."""


def composition_request(request: GenerationRequest) -> GenerationRequest:
    """Return the composer's request for a request that follows it: score, stems and notes are those of its piece.

    Raises InvalidRequest where an even tempo is wanted of what cannot be composed.
    """
    fields = {name: getattr(request, name) for name in request.model_fields_set - NOT_COMPOSED}
    # Big, soft and faded endings are written; the others are the sound's.
    if request.ending in COMPOSED_ENDINGS:
        fields["ending"] = request.ending
    composed = GenerationRequest.checked(**fields)
    if not request.snap_tempo:
        return composed
    # The tempo shows only once the score is written, which few requests need here.
    from tunesmith.composed.even_tempo import with_even_tempo

    return with_even_tempo(composed)
