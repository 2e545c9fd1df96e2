"""The choice of the band: which players a piece has, their instruments and registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre, GenrePart
from tunesmith.composer.instruments import Instrument, instrument, instruments
from tunesmith.composer.rng import chance_of
from tunesmith.composer.writing.band.admission import is_refused, is_unwanted, may_join
from tunesmith.composer.writing.band.cast import OPEN_FAMILIES, Seat, cast_seat, presence
from tunesmith.composer.writing.band.colours import with_colours
from tunesmith.composer.writing.band.ensemble import company_of, is_named, is_spoken_of
from tunesmith.composer.writing.band.parts import (
    PartAssignment,
    arranged,
    lead_register,
    led,
    new_part,
    requested_style,
)
from tunesmith.composer.writing.plan import UNPITCHED, Player
from tunesmith.errors import InvalidRequest

REGISTERS: Mapping[str, int] = {
    "melody": 74, "counter": 67, "chords": 60, "pad": 60, "arpeggio": 72, "bass": 38, "drone": 45,
    "drums": 60, "percussion": 60, "effects": 60,
}  # fmt: skip
DEFAULT_STYLES: Mapping[str, str] = {"chords": "block", "bass": "root", "arpeggio": "arpeggio"}
FAMILY_ROLES: Mapping[str, tuple[str, ...]] = {
    "keys": ("chords", "melody", "arpeggio", "counter"),
    "guitar": ("chords", "arpeggio", "melody", "counter"),
    "plucked": ("melody", "arpeggio", "chords", "counter"),
    "mallets": ("melody", "arpeggio", "counter", "chords"),
    "winds": ("melody", "counter"),
    "reeds": ("melody", "counter"),
    "brass": ("melody", "counter", "chords"),
    "voices": ("pad", "counter", "melody"),
    "strings": ("pad", "chords", "counter", "melody"),
    "synth": ("chords", "arpeggio", "pad", "melody"),
    "chip": ("melody", "arpeggio", "counter", "chords"),
    "pads": ("pad", "drone", "chords"),
    "bass": ("bass",),
    "percussion": ("bass",),
    "drums": ("drums", "percussion"),
    "effects": ("effects",),
}
SOLO_ROLES = ("melody", "counter")
# An instrument of at most two voices leads; it cannot play chords.
SINGLE_VOICES = 2
EXTRA_STYLES: Mapping[str, str] = {"timpani": "pedal", "taiko_drum": "pedal"}
KIT_PERCUSSION = frozenset({"latin_percussion", "cinematic_percussion"})


def choose_band(brief: Brief, genre: Genre) -> tuple[Player, ...]:
    """Return the players who are heard, in the genre's order, without those that are added to the finished piece.

    Raises InvalidRequest where ``without`` leaves no player.
    """
    return tuple(player for player in whole_band(brief, genre) if is_heard(brief, player))


def is_heard(brief: Brief, player: Player) -> bool:
    """Return whether a player of the whole band is heard in the finished piece."""
    return not is_unwanted(brief, player.instrument, player.role)


def whole_band(brief: Brief, genre: Genre) -> tuple[Player, ...]:
    """Return the players for whom the piece is written, in the genre's order: also those whom ``without`` takes out.

    Raises InvalidRequest where ``without`` leaves no player.
    """
    members = _members(brief, genre)
    for name in brief.instruments:
        members = _with_instrument(members, name, genre, brief)
    members = [replace(member, requested=is_spoken_of(brief, member.instrument)) for member in members]
    company = company_of(brief, genre, [member.instrument for member in members])
    # A bed lies under speech, so nothing may draw attention as a melody does.
    if brief.form == "bed":
        members = [member for member in members if member.requested or member.part.role not in SOLO_ROLES] or members
    else:
        members = led(members, company, genre)
    members = with_colours(arranged(members, company), company, brief, genre)
    if all(is_unwanted(brief, member.instrument, member.part.role) for member in members):
        raise InvalidRequest("without", f"leaves no instrument to play {genre.title}")
    return _named([player_of(member, brief, genre) for member in members])


def with_someone(players: Sequence[Player], energies: Sequence[float]) -> tuple[Player, ...]:
    """Lower the entry of the earliest pitched player where necessary, so that no section is silent."""
    quietest = min(energies)
    pitched = [player for player in players if player.role not in UNPITCHED] or list(players)
    if any(player.entry <= quietest for player in pitched):
        return tuple(players)
    order = ("chords", "pad", "arpeggio", "drone", "melody", "bass", "counter")
    first = min(pitched, key=lambda p: (p.entry, order.index(p.role) if p.role in order else len(order)))
    return tuple(replace(player, entry=quietest) if player is first else player for player in players)


def _members(brief: Brief, genre: Genre) -> list[PartAssignment]:
    members: list[PartAssignment] = []
    named = is_named(brief, genre)
    lent = _lent(genre)
    counted = company_of(brief, genre).size
    for index, part in enumerate(genre.parts):
        key = f"{part.role} {index}"
        allowed = [name for name in part.instruments if not is_refused(brief, name, part.role)]
        # A seat for which nobody is left is filled and taken out later; not where the prompt counts the players.
        allowed = allowed or ([] if counted else list(part.instruments))
        # Keyed by the seat, so that a band with one player more or less keeps the others.
        if allowed and chance_of(brief.rng("band", "presence", key), _presence(brief, part)):
            taken = frozenset(member.instrument for member in members if member.part.role in SOLO_ROLES)
            # A genre's own name may hold an instrument that nothing else asks for: piano and strings.
            asked = tuple(name for name in allowed if is_spoken_of(brief, name))
            seat = Seat(part, key, brief.seed_of("band"), brief.mood, named, taken, asked)
            known = [name for name in lent if may_join(brief, name, part.role)]
            members.append(PartAssignment(part, cast_seat(seat, allowed, known)))
    return members


def _presence(brief: Brief, part: GenrePart) -> float:
    # Another mood keeps the tune.
    return presence(part, brief.usual_mood if part.role == "melody" else brief.mood)


def _lent(genre: Genre) -> list[str]:
    """Return the instruments that may stand in for the genre's own: those of the families that it has, if any may."""
    if genre.own_players or genre.family not in OPEN_FAMILIES:
        return []
    families = {instrument(name).family for part in genre.parts for name in part.instruments}
    return [name for name, tool in instruments().items() if tool.family in families]


def roles_of(tool: Instrument) -> tuple[str, ...]:
    """Return the roles that an instrument can take, the one that suits it best first."""
    if tool.name in KIT_PERCUSSION:
        return ("percussion", "drums")
    roles = FAMILY_ROLES.get(tool.family, SOLO_ROLES)
    leads = tool.polyphony <= SINGLE_VOICES and tool.family not in ("bass", "percussion", "drums", "effects")
    return (*SOLO_ROLES, *(role for role in roles if role == "arpeggio")) if leads else roles


def _with_instrument(members: list[PartAssignment], name: str, genre: Genre, brief: Brief) -> list[PartAssignment]:
    """Give a requested instrument the part that fits it best, or add a part for it."""
    taken = next((i for i, member in enumerate(members) if member.instrument == name), None)
    if taken is not None:
        return [replace(member, requested=True) if i == taken else member for i, member in enumerate(members)]
    free = [i for i, member in enumerate(members) if not member.requested]
    listed = [i for i in free if name in members[i].part.instruments]
    roles = roles_of(instrument(name))
    fitting = listed or [i for role in roles for i in free if members[i].part.role == role and name not in EXTRA_STYLES]
    if fitting:
        return [
            PartAssignment(member.part, name, True) if i == fitting[0] else member for i, member in enumerate(members)
        ]
    return [*members, PartAssignment(added_part(name, roles[0], genre, brief), name, True)]


def added_part(name: str, role: str, genre: Genre, brief: Brief) -> GenrePart:
    """Return the part of an instrument that joins the genre's own in a role."""
    kin = next((part for part in genre.parts if part.role == role), None)
    if kin is not None and name not in EXTRA_STYLES:
        # The genre's own part of this role knows the register, the style and the level that fit.
        return kin
    style: tuple[str, ...] = (EXTRA_STYLES[name],) if name in EXTRA_STYLES else ()
    if role in ("drums", "percussion"):
        grooves = [groove.name for groove in genre.grooves if groove.use == "groove"]
        style = (brief.choice("groove", "added groove", name, options=grooves),) if grooves else ()
    return new_part(role, name, style=style)


def player_of(member: PartAssignment, brief: Brief, genre: Genre) -> Player:
    """Return the player of a part, with style and rhythm drawn."""
    part, role = member.part, member.part.role
    # Keyed by the part's place in the genre, so that one player's style does not depend on who else plays.
    seat = f"{role} {next((index for index, own in enumerate(genre.parts) if own == part), role)}"
    drawn = brief.choice("groove", "style", seat, options=part.style) if part.style else ""
    style = drawn or DEFAULT_STYLES.get(role, "")
    if role in ("drums", "percussion") and not style:
        style = next((groove.name for groove in genre.grooves if groove.use == "groove"), "")
    rhythm = _drawn_rhythm(part, brief, seat)
    if member.requested and role in ("chords", "arpeggio"):
        style, rhythm = requested_style(brief, part, member.instrument, style, rhythm)
    return Player(
        name=role,
        role=role,
        instrument=member.instrument,
        style=style,
        register=lead_register(member, register_for(role, part, instrument(member.instrument)), genre.arousal),
        entry=part.entry if member.entry is None else min(part.entry, member.entry),
        voicing=part.voicing or ("pad" if role == "pad" else "close"),
        rhythm=rhythm,
        gain_db=max(-24.0, min(12.0, (max(part.gain_db, 0.0) if member.requested else part.gain_db) + member.gain_db)),
        # What the user named belongs nearer to the centre.
        pan=part.pan * (0.5 if member.requested else 1.0),
        echo=part.echo,
    )


def _drawn_rhythm(part: GenrePart, brief: Brief, seat: str) -> str:
    """Draw one of the part's rhythms that fill the meter's bar; none where the style has a pattern that does."""
    fitting = [rhythm for rhythm in part.rhythm if len(rhythm.split()[0]) == brief.meter.steps_per_bar]
    options = fitting or (() if part.style else part.rhythm)
    return brief.choice("groove", "rhythm", seat, options=options) if options else ""


def register_for(role: str, part: GenrePart | None, tool: Instrument) -> int:
    """Return the pitch around which a player lies: the genre part's, or the role's own, within the instrument."""
    wanted = REGISTERS[role] if part is None or part.register_ is None else part.register_
    if role in UNPITCHED:
        return wanted
    # Not at the very end of the range, where instruments sound strained.
    margin = min(7, (tool.high - tool.low) // 3)
    return min(max(wanted, tool.low + margin), tool.high - margin)


def _named(players: Sequence[Player]) -> tuple[Player, ...]:
    counts: dict[str, int] = {}
    named = []
    for player in players:
        counts[player.role] = counts.get(player.role, 0) + 1
        number = counts[player.role]
        named.append(replace(player, name=player.role if number == 1 else f"{player.role}_{number}"))
    return tuple(named)
