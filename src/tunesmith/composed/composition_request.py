"""The composer's request for the piece of a request that another model plays."""

from __future__ import annotations

from tunesmith.request import GenerationRequest


def composition_request(request: GenerationRequest) -> GenerationRequest:
    """Return the composer's request for a request that follows it: score, stems and notes are those of its piece.

    Raises InvalidRequest where an even tempo is wanted of what cannot be composed.
    """
    composed = request.of_composer()
    if not request.snap_tempo:
        return composed
    # The tempo shows only once the score is written, which few requests need here.
    from tunesmith.composed.even_tempo import with_even_tempo

    return with_even_tempo(composed)
