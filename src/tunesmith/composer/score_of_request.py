"""The score of a request, written or loaded, without any sound."""

from __future__ import annotations

from tunesmith.composer.check_request import check_request, reject_neural_fields
from tunesmith.composer.edited_score import write_request
from tunesmith.composer.score import Score
from tunesmith.request import GenerationRequest


def score_of(request: GenerationRequest) -> Score:
    """Return the score that the composer plays for a request with a seed; what renders sound is not even imported.

    To read, not to render: the equaliser of a composed piece's bus, which ``compose`` adds, is not in it.
    Raises InvalidRequest for what cannot be composed, InvalidScore for a broken score.
    """
    if request.score is None:
        return write_request(request, check_request(request)).score
    # Most requests have no score, and its reading takes long to import.
    from tunesmith.composer.score_input import loaded_score

    reject_neural_fields(request)
    return loaded_score(request.score).score
