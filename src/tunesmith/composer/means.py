"""The table of means (means.yaml): what electronic, acoustic, orchestral music is made with, and a genre within it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from tunesmith.composer.brief import Brief
from tunesmith.composer.genre import Genre, GenrePart, Loader, load_genre
from tunesmith.composer.instruments import instruments
from tunesmith.composer.rng import choice_for

CHORD_STYLES: Mapping[str, tuple[str, ...]] = {
    "guitar": ("strum", "travis"),
    "strings": ("pulse", "block"),
    "brass": ("hits", "block"),
    "mallets": ("pulse", "rolled"),
    "voices": ("block",),
    "plucked": ("rolled", "arpeggio"),
}
"""How a family plays chords that the genre wrote for players of other families."""


@dataclass(frozen=True, slots=True)
class Means:
    """What music is made with.

    ``genres`` and ``families`` map the names of genres and of genre families inside to their weights, −0.5 to 0.5; a
    family's weight counts for its genres that are not listed. ``players`` are the instruments that may play; the roles
    in ``free`` are not limited. ``seats`` maps a role to the instruments that take it where the genre's own are all
    outside; a role without any is left out.
    """

    name: str
    title: str
    families: Mapping[str, float]
    genres: Mapping[str, float]
    players: frozenset[str]
    seats: Mapping[str, tuple[str, ...]]
    free: frozenset[str] = frozenset()

    def weight_of(self, genre: str, family: str) -> float | None:
        """Return how usual a genre is with these means, or None for a genre outside."""
        return self.genres.get(genre, self.families.get(family))

    def admits(self, instrument: str, role: str) -> bool:
        """Return whether an instrument may play in a role."""
        return role in self.free or instrument in self.players


@functools.cache
def all_means() -> Mapping[str, Means]:
    """Return the table by name."""
    text = (resources.files("tunesmith.composer") / "means.yaml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = yaml.load(text, Loader=Loader)  # noqa: S506  CSafeLoader is safe
    return {name: _means(name, row) for name, row in rows.items()}


def _means(name: str, row: Mapping[str, Any]) -> Means:
    inside, families = row["inside"], frozenset(row["inside"].get("families", ()))
    by_family = {own for own, tool in instruments().items() if tool.family in families}
    return Means(
        name=name,
        title=row["title"],
        families=row["families"],
        genres=row["genres"],
        players=frozenset((by_family | set(inside.get("instruments", ()))) - set(inside.get("without", ()))),
        seats={role: tuple(names) for role, names in row["seats"].items()},
        free=frozenset(row.get("free", ())),
    )


def genre_weights(names: Sequence[str], families: Mapping[str, str]) -> Mapping[str, float]:
    """Return the genres inside the means with their weights; ``families`` maps each genre to its family.

    Several means leave what is inside all of them, or, where nothing is, what is inside any: electronic orchestral.
    """
    rows = [
        {genre: weight for genre, family in families.items() if (weight := means.weight_of(genre, family)) is not None}
        for means in (all_means()[name] for name in names)
    ]
    common = [genre for genre in families if rows and all(genre in row for row in rows)]
    inside = common or [genre for genre in families if any(genre in row for row in rows)]
    return {genre: min(row[genre] for row in rows if genre in row) for genre in inside}


def limited(genre: Genre, names: Sequence[str], seed: int) -> Genre:
    """Return the genre with only players inside the means.

    A seat whose players are all outside goes to one of the means' own, drawn by ``seed``, or is left out. A genre that
    would lose every seat stays as it is.
    """
    if not names:
        return genre
    means = [all_means()[name] for name in names]
    parts = [
        # One generator a seat, so that a change of one seat leaves the others as they were.
        _limited(part, means, seed, f"{part.role} {place}")
        for place, part in enumerate(genre.parts)
    ]
    kept = tuple(part for part in parts if part is not None)
    return genre.model_copy(update={"parts": kept}) if kept else genre


def genre_of(brief: Brief) -> Genre:
    """Return the genre of a brief with only players inside its means."""
    return limited(load_genre(brief.genre), brief.means, brief.seed_of("band"))


def _limited(part: GenrePart, means: Sequence[Means], seed: int, seat: str) -> GenrePart | None:
    own = tuple(name for name in part.instruments if all(one.admits(name, part.role) for one in means))
    if own:
        return part.model_copy(update={"instruments": own})
    seats = dict.fromkeys(name for one in means for name in one.seats.get(part.role, ()))
    taken = [name for name in seats if all(one.admits(name, part.role) for one in means)] or list(seats)
    if not taken:
        return None
    name = choice_for(seed, "means", seat, options=taken)
    return part.model_copy(update={"instruments": (name,)} | _chord_style(part, name))


def _chord_style(part: GenrePart, name: str) -> dict[str, tuple[str, ...]]:
    """Return how a new player of chords plays them, where the genre wrote for another family."""
    family = instruments()[name].family
    if part.role != "chords" or family in {instruments()[own].family for own in part.instruments}:
        return {}
    style = CHORD_STYLES.get(family)
    return {} if style is None else {"style": style, "rhythm": ()}
