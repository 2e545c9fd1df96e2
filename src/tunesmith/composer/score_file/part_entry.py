"""A part of a document: its fields, and its notes in the document's bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from tunesmith.balance import LevelChange, parse_stretch
from tunesmith.composer.genre import Echo, Voicing
from tunesmith.composer.instruments import instrument, instruments
from tunesmith.composer.score import ROLES, Note
from tunesmith.composer.score_file.document import ScorePosition
from tunesmith.composer.score_file.frame import Grid, read_timed
from tunesmith.composer.score_file.notation import read_note
from tunesmith.composer.writing.written_score import FOLLOWS

RANGES: Mapping[str, tuple[float, float]] = {
    "gain_db": (-60, 24), "pan": (-1, 1), "entry": (0, 1), "groove": (0, 2), "humanize": (0, 2),
}  # fmt: skip
"""The limits of the numbers of a part."""

WHOLE_RANGES: Mapping[str, tuple[int, int]] = {"transpose": (-36, 36), "octave": (-3, 3)}
FLAGS = ("mute", "solo")
FIELDS = ("name", "role", "instrument", "follow", "player", "levels", *RANGES, *WHOLE_RANGES, *FLAGS, "notes")
REQUIRED = ("name", "role", "instrument")
PLAYER_WORDS = ("name", "style", "rhythm")
PLAYER_FIELDS = (*PLAYER_WORDS, "voicing", "register", "echo")
REGISTER_LIMITS = (0, 127)
ECHO_LIMITS: Mapping[str, tuple[float, float]] = {"beats": (0.01, 4), "decay": (0.01, 0.99)}
MOST_REPEATS = 6
VOICINGS: tuple[str, ...] = get_args(Voicing)


@dataclass(frozen=True, slots=True)
class PartEntry:
    """A part as the document has it.

    ``numbers`` has those of RANGES and WHOLE_RANGES that are given, ``player`` the words of PLAYER_WORDS. ``notes``
    None means that the part has none yet: the composer writes them.
    """

    place: ScorePosition
    name: str
    role: str
    instrument: str
    follow: str
    notes: ScorePosition | None
    numbers: Mapping[str, float]
    flags: frozenset[str]
    player: Mapping[str, str]
    voicing: str = ""
    levels: tuple[LevelChange, ...] = ()
    register: int | None = None
    echo: Echo | None = None

    @property
    def mute(self) -> bool:
        """Whether the part is silent."""
        return "mute" in self.flags

    @property
    def solo(self) -> bool:
        """Whether only this part, and others like it, sound."""
        return "solo" in self.flags

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a number of the part."""
        return self.numbers.get(name, default)

    def read_notes(self, grid: Grid) -> tuple[Note, ...]:
        """Return the notes in order of their start; raise InvalidScore."""
        if self.notes is None:
            return ()
        drums = instrument(self.instrument).is_kit
        notes = read_timed(self.notes, grid, lambda text, bar: read_note(text, bar, grid.beats_per_bar, drums=drums))
        # Sorted by start alone, which keeps the written order of notes that start together.
        return tuple(sorted(notes, key=lambda note: note.start))


def read_parts(place: ScorePosition) -> Iterator[PartEntry]:
    """Yield the parts of a list; raise InvalidScore for a field that is unknown, missing or out of its range."""
    seen: set[str] = set()
    for item in place.items():
        named = item.fields(FIELDS, REQUIRED)
        name = named["name"].text()
        # Stems and errors go by name, so two parts cannot share one.
        if name in seen:
            raise named["name"].mistake(f"there are two parts called {name!r}; names must differ")
        seen.add(name)
        fields = {field: value.of_part(name) for field, value in named.items()}
        yield _entry(item.of_part(name), name, fields)


def _entry(place: ScorePosition, name: str, fields: Mapping[str, ScorePosition]) -> PartEntry:
    follow = fields["follow"].one_of(FOLLOWS) if "follow" in fields else "fixed"
    if follow == "fixed" and "notes" not in fields:
        raise place.mistake("'notes' is missing; a part without notes needs 'follow: chords' to be written")
    numbers: dict[str, float] = {
        field: fields[field].number(*limits) for field, limits in RANGES.items() if field in fields
    }
    numbers |= {field: fields[field].whole(*limits) for field, limits in WHOLE_RANGES.items() if field in fields}
    player = fields["player"].fields(PLAYER_FIELDS) if "player" in fields else {}
    return PartEntry(
        place=place,
        name=name,
        role=fields["role"].one_of(ROLES),
        instrument=fields["instrument"].one_of(instruments()),
        follow=follow,
        notes=fields.get("notes"),
        numbers=numbers,
        flags=frozenset(flag for flag in FLAGS if flag in fields and fields[flag].flag()),
        player={word: player[word].text() for word in PLAYER_WORDS if word in player},
        levels=tuple(item.read(parse_stretch) for item in fields["levels"].items()) if "levels" in fields else (),
        voicing=player["voicing"].one_of(VOICINGS) if "voicing" in player else "",
        register=player["register"].whole(*REGISTER_LIMITS) if "register" in player else None,
        echo=_echo(player["echo"]) if "echo" in player else None,
    )


def _echo(place: ScorePosition) -> Echo:
    fields = place.fields(("beats", "repeats", "decay"))
    numbers = {name: fields[name].number(*limits) for name, limits in ECHO_LIMITS.items() if name in fields}
    repeats = fields["repeats"].whole(1, MOST_REPEATS) if "repeats" in fields else Echo().repeats
    return Echo(repeats=repeats).model_copy(update=numbers)
