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
    for field_name in NEURAL_FIELDS:
        value = getattr(request, field_name)
        if value not in (None, ()) and not (field_name == "ending" and value in COMPOSED_ENDINGS):
            raise InvalidRequest(field_name, f"only neural models support it, not the composer, got {str(value)!r}")
    brief = read_brief(request)
    return _with_possible_hits(brief) if brief.hits and not request.hits else brief


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
