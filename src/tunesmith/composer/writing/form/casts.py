"""Who plays when: the casts and breaks of a plan, for a piece that is composed, arranged or edited."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.composer.writing.form.arrangement import arranged, everywhere_heard
from tunesmith.composer.writing.form.breaks import with_breaks
from tunesmith.composer.writing.form.climax import with_climax_cast
from tunesmith.composer.writing.plan import Plan, Player


def with_casts(plan: Plan, heard: Sequence[Player]) -> Plan:
    """Return the plan with its casts and breaks, one of the ``heard`` players in every bar if there are any."""
    cast = with_climax_cast(arranged(plan))
    return with_breaks(everywhere_heard(cast, heard) if heard else cast)
