"""Who plays when: the casts and breaks of a plan, for a piece that is composed, arranged or edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.writing.form.arrangement import arranged, everywhere_heard
from tunesmith.composer.writing.form.breaks import with_breaks
from tunesmith.composer.writing.form.climax import with_climax_cast
from tunesmith.composer.writing.form.sections import in_usual_mood
from tunesmith.composer.writing.plan import Cast, Plan, Player


def with_casts(plan: Plan, heard: Sequence[Player]) -> Plan:
    """Return the plan with its casts and breaks, one of the ``heard`` players in every bar if there are any."""
    cast = with_climax_cast(_with_own_lead(arranged(plan)))
    return with_breaks(everywhere_heard(cast, heard) if heard else cast)


def _with_own_lead(plan: Plan) -> Plan:
    """Let those who play the tune play it where they would without the mood of the request: it keeps the hook."""
    if plan.brief.usual is None:
        return plan
    tune = frozenset(player.name for player in plan.players if player.role == "melody")
    usual = arranged(replace(plan, sections=in_usual_mood(plan.sections, plan.brief), casts=()))
    casts = (
        Cast(bar, 1, (now - tune) | (by_itself & tune))
        for bar, (now, by_itself) in enumerate(zip(_by_bar(plan), _by_bar(usual), strict=True))
    )
    return replace(plan, casts=tuple(casts))


def _by_bar(plan: Plan) -> list[frozenset[str]]:
    return [frozenset(p.name for p in plan.players if plan.is_playing(p, bar)) for bar in range(plan.bars)]
