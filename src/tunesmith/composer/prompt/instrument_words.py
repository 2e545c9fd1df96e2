"""Instruments that a prompt or a flag includes or excludes: names, families and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.balance import EVERYONE, LevelChange
from tunesmith.composer.genre import Genre
from tunesmith.composer.instruments import instruments
from tunesmith.composer.prompt.lexicon import Match, lookup, names, value
from tunesmith.composer.prompt.text import phrase_key
from tunesmith.composer.rng import choice_for
from tunesmith.composer.score import AMBIENCES, PRODUCTION, ROLES
from tunesmith.errors import UnknownName

# Who asks for a synthesiser does not expect bells.
_BELLS = frozenset({"fm_bell"})
# Genre families in which a guitar has a cable.
_PLUGGED = frozenset({"electronic", "dance", "rock", "reggae", "soul"})
_ORGAN = "organ"
_PIANOS = frozenset({"piano", "felt_piano", "bright_piano", "honky_tonk_piano", "house_piano"})


def wanted_names(matches: Sequence[Match], refused: frozenset[int]) -> Mapping[str, tuple[str, int]]:
    """Return the instruments and families that a prompt names -> (kind, match index), in the prompt's order."""
    found: dict[str, tuple[str, int]] = {}
    for i, match in enumerate(matches):
        for kind in ("instrument", "family"):
            # The first meaning only: a word that could be two instruments must not add both.
            for name in match.names(kind)[:1]:
                if i not in refused and not match.names("genre") and _can_play(kind, name):
                    found.setdefault(name, (kind, i))
    return found


def _can_play(kind: str, name: str) -> bool:
    """Return whether this can play: an instrument, or a family that has a default instrument."""
    return kind == "instrument" or "default" in value(kind, name)


def played_by(kind: str, name: str, genre: Genre, seed: int) -> str:
    """Return the instrument for an instrument or a family name: the genre's own, if it has one."""
    if kind == "instrument":
        return name
    family = value("family", name)
    own = _own_players(family, genre)
    # Drawn by seed among the genre's own, so that two pieces need not have the same piano.
    if own:
        return choice_for(seed, "brief", name, options=own)
    return str(family.get("plugged", family["default"]) if genre.family in _PLUGGED else family["default"])


def worded_player(kind: str, name: str, genre: Genre, seed: int) -> str:
    """Return the instrument for a word of a prompt, which may mean the genre's own kind of organ, such as rock's."""
    organs = [own for part in genre.parts for own in part.instruments if own.endswith(_ORGAN)]
    if name == _ORGAN and organs and name not in organs:
        return organs[0]
    return played_by(kind, name, genre, seed)


def _own_players(family: Mapping[str, Any], genre: Genre) -> list[str]:
    """Return the genre's own players of a family, those of the tune alone where the family lists its players."""
    role, families, players = family.get("role"), family.get("from", ()), family.get("of", ())
    rows = [
        (part.role, name)
        for part in genre.parts
        for name in part.instruments
        if (role is None or part.role == role)
        and (name in players or (name not in _BELLS and instruments()[name].family in families))
    ]
    # The electric guitar of rock is the one that leads, not the clean one beside it.
    leading = [name for own, name in rows if players and own == "melody"]
    return leading or [name for _, name in rows]


def excluded_instruments(matches: Sequence[Match], refused: frozenset[int]) -> frozenset[str]:
    """Return the instruments, families and roles that a prompt excludes."""
    found: set[str] = set()
    for i in sorted(refused):
        for kind in ("instrument", "family"):
            for name in matches[i].names(kind):
                found.update(covered(kind, name))
    return frozenset(found)


def covered(kind: str, name: str) -> frozenset[str]:
    """Return all that an excluded name covers: ``piano`` covers every piano, ``drums`` the role and the family."""
    if kind == "instrument":
        # "No piano" means no piano of any kind.
        return _PIANOS if name == "piano" else frozenset({name})
    return frozenset(value("family", name).get("leaves_out", ()))


def flag_instrument(name: str) -> tuple[str, str]:
    """Return (kind, name) of an instrument or family flag in any language; raise UnknownName for others."""
    canonical = phrase_key(name).replace(" ", "_")
    # Instrument names first: the tables may give a name other meanings in other languages.
    if canonical in instruments():
        return "instrument", canonical
    for kind, meant in lookup(phrase_key(name)):
        if kind in ("instrument", "family") and _can_play(kind, meant):
            return kind, meant
    raise UnknownName("instrument", name, [*instruments(), *names("family")])


def flag_left_out(name: str) -> frozenset[str]:
    """Return what a ``without`` flag covers: an instrument, a family or a role; raise UnknownName for others."""
    canonical = phrase_key(name).replace(" ", "_")
    meant = [pair for pair in lookup(phrase_key(name)) if pair[0] in ("instrument", "family")]
    if canonical in names("family"):
        return covered("family", canonical)
    if canonical in instruments():
        return covered("instrument", canonical)
    if canonical in ROLES or canonical in {row.family for row in instruments().values()}:
        return frozenset({canonical})
    if meant:
        return covered(*meant[0])
    colours = {meant for kind, meant in lookup(phrase_key(name)) if kind in ("production", "ambience")}
    colours |= {canonical} & {*PRODUCTION, *AMBIENCES}
    if colours:
        return frozenset(colours)
    raise UnknownName("instrument", name, [*instruments(), *names("family"), *ROLES])


def covered_level(level: LevelChange) -> frozenset[str]:
    """Return the instruments, families and roles whose level changes, empty for all; raise UnknownName."""
    return frozenset() if level.name == EVERYONE else flag_left_out(level.name)
