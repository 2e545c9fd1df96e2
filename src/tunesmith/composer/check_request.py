"""The check of a request for the composer, which needs no sound to be loaded."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.prompt import read_brief
from tunesmith.composer.writing.form.tempo import solve_timeline
from tunesmith.errors import InvalidRequest
from tunesmith.request import COMPOSED_ENDINGS, NEURAL_FIELDS, GenerationRequest


def check_request(request: GenerationRequest) -> Brief:
    """Return the brief of a request; raise InvalidRequest for impossible or contradictory fields.

    Hits that only the prompt names give way, with a warning, where they cannot be met.
    """
    reject_neural_fields(request)
    brief = read_brief(request)
    return _with_possible_hits(brief) if brief.hits and not request.hits else brief


def reject_neural_fields(request: GenerationRequest) -> None:
    """Raise InvalidRequest for the first field that only neural models support."""
    for field_name in NEURAL_FIELDS:
        value = getattr(request, field_name)
        is_written = field_name == "ending" and value in COMPOSED_ENDINGS
        if value is not False and value not in (None, ()) and not is_written:
            raise InvalidRequest(field_name, f"only neural models support it, not the composer, got {str(value)!r}")


def _with_possible_hits(brief: Brief) -> Brief:
    """Leave out the hits that only the prompt names where no whole number of bars meets them."""
    try:
        solve_timeline(brief)
    except InvalidRequest as error:
        if error.field != "hit":
            raise
        reasons = tuple(reason for reason in brief.reasons if reason.field != "hit")
        warning = f"hit: {error.problem}; left out"
        return replace(brief, hits=(), reasons=reasons, warnings=(*brief.warnings, warning))
    return brief
