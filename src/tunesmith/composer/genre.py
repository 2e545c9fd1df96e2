"""Genres as data: one YAML file a genre under genres/, checked as it is loaded. Adding a genre is adding a file."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.composer.score import MixSettings
from tunesmith.composer.theory import MODES, Meter
from tunesmith.errors import UnknownName

Share = Annotated[float, Field(ge=0, le=1)]
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

ChordStyle = Literal[
    "block", "pulse", "stabs", "strum", "comp", "skank", "alberti", "waltz", "chug", "montuno", "tremolo", "travis",
    "rolled", "arpeggio", "pluck16", "bossa", "funk16", "hits", "boogie", "offbeat",
]  # fmt: skip
BassStyle = Literal[
    "root", "root_fifth", "walking", "eighths", "octaves", "offbeat", "syncopated", "sub", "ostinato", "pedal",
    "reggae", "tumbao", "bossa", "rolling", "wobble", "gallop", "sixteenths", "boogie", "waltz", "dub",
]  # fmt: skip
Voicing = Literal["close", "open", "drop2", "rootless", "power", "pad", "triad", "quartal"]


class _GenreModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TempoRange(_GenreModel):
    """Felt beats a minute: what is usual, and how far a tempo may be moved to fit a duration."""

    low: Annotated[float, Field(ge=30, le=260)]
    typical: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.typical <= self.high <= 260:
            raise ValueError(f"tempo needs low <= typical <= high <= 260, got {self.low}, {self.typical}, {self.high}")
        return self


class Progression(_GenreModel):
    """A chord progression in Roman numerals over a number of bars.

    ``chords`` is one string, chords separated by spaces, ``|`` between bars; each bar's chords share it evenly. A
    numeral is an optional b or #, then I–VII or i–vii (case gives major or minor triad), then a quality suffix of
    CHORD_QUALITIES that replaces it (``ii9`` is minor so m9, ``V7``, ``Imaj7``, ``viiø`` m7b5, ``vii°`` dim, ``Isus4``,
    ``I5``), then optionally ``/`` and a numeral for the bass, or for a secondary dominant (``V7/ii``). Degrees are
    counted in the major scale for major-like modes and in the natural minor scale for minor-like ones.
    """

    chords: str
    modes: tuple[str, ...] = ()  # modes it suits; empty: all of the genre's
    weight: float = 1.0
    use: Literal["any", "verse", "chorus", "bridge", "intro", "ending"] = "any"


class Harmony(_GenreModel):
    """How chords are chosen: ``color`` 0–1 is how far triads grow sevenths and ninths beyond what is written,
    ``adventure`` 0–1 how often secondary dominants and borrowed chords enter."""

    progressions: Annotated[tuple[Progression, ...], Field(min_length=2)]
    cadences: tuple[str, ...] = ("V I",)
    color: Share = 0.3
    adventure: Share = 0.2
    style: Literal["functional", "modal", "static", "blues", "drone"] = "functional"


class GenrePart(_GenreModel):
    """A player of the band. ``entry`` 0–1: the section energy (and the asked intensity) from which it plays.

    ``instruments``: names from the instrument table, one is drawn by seed. ``style`` for chords-like roles is a
    ChordStyle, for bass a BassStyle, for drums and percussion the name of a groove; one is drawn. ``rhythm``
    optionally gives the hits of one bar as sixteenth steps (``x`` hit, ``X`` accent, ``.`` rest, ``-`` hold), bars
    separated by spaces. ``register`` is the pitch (MIDI) around which the part lies. ``chance`` is how often the band
    has this player at all.
    """

    role: Literal[
        "melody", "counter", "chords", "pad", "arpeggio", "bass", "drone", "drums", "percussion", "effects"
    ]  # fmt: skip
    instruments: Annotated[tuple[str, ...], Field(min_length=1)]
    style: tuple[str, ...] = ()
    voicing: Voicing | None = None
    rhythm: tuple[str, ...] = ()
    register_: Annotated[int | None, Field(ge=24, le=100, alias="register")] = None
    gain_db: Annotated[float, Field(ge=-24, le=12)] = 0.0
    pan: Annotated[float, Field(ge=-1, le=1)] = 0.0
    entry: Share = 0.0
    chance: Share = 1.0


class Groove(_GenreModel):
    """One bar or more of drums. ``patterns`` maps a drum (kick, snare, rim, clap, hat, open_hat, pedal_hat, ride,
    ride_bell, crash, tom_low, tom_mid, tom_high, shaker, tambourine, cowbell, conga_low, conga_high, conga_mute,
    bongo_low, bongo_high, clave, woodblock, triangle, timbale_low, timbale_high, guiro, cabasa, agogo_low, agogo_high,
    brush_tap, brush_swirl, snap, taiko, timpani) to steps: ``X`` accent, ``x`` normal, ``o`` soft, ``g`` ghost, ``.``
    rest; bars separated by spaces, ``steps`` to a bar (16 in 4/4 straight; 12 for triplets or 12/8 and 3/4; …).
    """

    name: str
    patterns: Mapping[str, str]
    steps: Annotated[int, Field(ge=4, le=48)] = 16
    energy: tuple[float, float] = (0.0, 1.0)  # section energies it suits
    meter: str = "4/4"
    use: Literal["groove", "fill", "intro", "break"] = "groove"


class MelodyTaste(_GenreModel):
    """How the lead line behaves. ``density``: notes a beat. ``leap``: share of leaps. ``syncopation``, ``ornament``:
    0–1. ``motif_bars``: length of its idea. ``scale``: a mode to draw from instead of the key's, such as ``minor
    pentatonic``. ``rest``: share of phrases that breathe out."""

    density: Annotated[float, Field(ge=0.05, le=4)] = 1.0
    leap: Share = 0.3
    syncopation: Share = 0.2
    ornament: Share = 0.1
    motif_bars: Literal[1, 2, 4] = 2
    scale: str | None = None
    rest: Share = 0.3


class Feel(_GenreModel):
    """How players play.

    ``swing``: where the second of a pair falls, 0.5 straight, 0.667 triplet; ``swing_unit``: 8 or 16. ``timing_ms``:
    spread of each player; ``laid_back_ms``: how late snare and lead sit; ``dynamics``: spread of velocity 0–1;
    ``legato``: share of the note's length that sounds.
    """

    swing: Annotated[float, Field(ge=0.5, le=0.75)] = 0.5
    swing_unit: Literal[8, 16] = 16
    timing_ms: Annotated[float, Field(ge=0, le=40)] = 6.0
    laid_back_ms: Annotated[float, Field(ge=-20, le=40)] = 0.0
    dynamics: Share = 0.15
    legato: Annotated[float, Field(ge=0.1, le=1.2)] = 0.9


class FormPlan(_GenreModel):
    """Sections of a full track in order, each ``name:bars:energy``; repeated or cut to meet the length."""

    sections: Annotated[tuple[str, ...], Field(min_length=1)]
    weight: float = 1.0


class GenreMix(_GenreModel):
    """The genre's MixSettings, and what it adds by itself."""

    loudness_lufs: Annotated[float, Field(ge=-24, le=-8)] = -14.0
    room: Share = 0.2
    hall: Share = 0.15
    side_chain: Share = 0.0
    brightness_db: Annotated[float, Field(ge=-12, le=6)] = 0.0
    width: Annotated[float, Field(ge=0, le=1.5)] = 1.0
    production: tuple[str, ...] = ()
    ambience: tuple[str, ...] = ()

    def settings(self) -> MixSettings:
        """Return the score's form of this."""
        return MixSettings(**self.model_dump(exclude={"ambience"}))


class Genre(_GenreModel):
    """One genre: everything that tells its music from another's."""

    name: str
    title: str
    family: str
    aliases: Mapping[str, tuple[str, ...]]  # language code (en es de fr pt ja zh) → words that name it
    anchors: Annotated[tuple[str, ...], Field(min_length=4)]  # sentences in several languages near to it in meaning
    valence: Annotated[float, Field(ge=-1, le=1)]
    arousal: Annotated[float, Field(ge=-1, le=1)]
    tempo: TempoRange
    meters: Mapping[str, float] = Field(default_factory=lambda: {"4/4": 1.0})
    modes: Mapping[str, float]  # mode → weight
    harmony: Harmony
    parts: Annotated[tuple[GenrePart, ...], Field(min_length=1)]
    grooves: tuple[Groove, ...] = ()
    melody: MelodyTaste = MelodyTaste()
    feel: Feel = Feel()
    forms: Annotated[tuple[FormPlan, ...], Field(min_length=1)]
    phrase_bars: Literal[2, 4, 8] = 4
    ending: Literal["ring", "hit", "soft", "fade"] = "ring"
    mix: GenreMix = GenreMix()

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        unknown = [mode for mode in self.modes if mode not in MODES]
        for meter in self.meters:
            Meter.parse(meter)
        if unknown:
            raise ValueError(f"{self.name}: unknown modes {unknown}")
        return self


@functools.cache
def genre_names() -> tuple[str, ...]:
    """Return the names of all genres, sorted."""
    files = (resources.files("tunesmith.composer") / "genres").iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


@functools.cache
def load_genre(name: str) -> Genre:
    """Load one genre by name; raises UnknownName with the nearest names."""
    if name not in genre_names():
        raise UnknownName("genre", name, genre_names())
    text = (resources.files("tunesmith.composer") / "genres" / f"{name}.yaml").read_text(encoding="utf-8")
    return Genre.model_validate({"name": name, **yaml.load(text, Loader=Loader)})  # noqa: S506  CSafeLoader is safe
