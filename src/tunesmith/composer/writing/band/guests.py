"""Guests: players who join a finished piece, so that everyone else plays what they played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre
from tunesmith.composer.instruments import instrument
from tunesmith.composer.writing.band.choose_band import SOLO_ROLES, added_part, player_of, roles_of
from tunesmith.composer.writing.band.parts import SOON, PartAssignment
from tunesmith.composer.writing.plan import HARMONIC, Cast, Plan, Player

# A guest is heard, but does not cover the lead.
GUEST_DB = 1.5


def guests_of(brief: Brief, genre: Genre, players: Sequence[Player]) -> tuple[Player, ...]:
    """Return the players that the request adds to the band, each in a role that nobody has, where there is one."""
    joined: list[Player] = []
    for name in brief.added:
        band = [*players, *joined]
        role = _role(name, {player.role for player in band})
        part = added_part(name, role, genre, brief)
        member = PartAssignment(part, name, requested=True, gain_db=GUEST_DB, entry=SOON)
        number = 1 + sum(player.role == role for player in band)
        joined.append(replace(player_of(member, brief, genre), name=role if number == 1 else f"{role}_{number}"))
    return tuple(joined)


def _role(name: str, taken: set[str]) -> str:
    roles = roles_of(instrument(name))
    free = next((role for role in roles if role not in taken), None)
    # Beside another lead and another answer, one more answer: a second lead would only double the first.
    return free or ("counter" if "counter" in roles and "melody" in taken else roles[0])


def with_guests(plan: Plan, guests: Sequence[Player]) -> Plan:
    """Return the plan with the guests in every cast whose section has the energy, resting where all others do."""
    casts = tuple(_joined(plan, cast, guests) for cast in plan.casts)
    harmony = {player.name for player in plan.players if player.role in HARMONIC}
    resting = frozenset(guest.name for guest in guests if guest.role not in SOLO_ROLES)
    breaks = tuple(replace(gap, players=gap.players | resting) if gap.players & harmony else gap for gap in plan.breaks)
    return replace(plan, players=(*plan.players, *guests), casts=casts, breaks=breaks)


def _joined(plan: Plan, cast: Cast, guests: Sequence[Player]) -> Cast:
    energy = plan.section_at(cast.bar * plan.beats_per_bar).energy
    return replace(cast, players=cast.players | {guest.name for guest in guests if energy >= guest.entry - 1e-9})
