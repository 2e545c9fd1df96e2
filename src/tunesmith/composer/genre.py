"""Genres as data: one YAML file per genre in genres/, validated as it is loaded. To add a genre, add a file."""

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
# The C loader is much faster; not every build of PyYAML has it.
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
    # A misspelled field in a genre file is an error, not a silent default.
    model_config = ConfigDict(frozen=True, extra="forbid")


class TempoRange(_GenreModel):
    """A range of felt beats per minute: the typical tempo, and how far it may move to fit a duration."""

    low: Annotated[float, Field(ge=30, le=260)]
    typical: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.typical <= self.high <= 260:
            raise ValueError(f"tempo needs low <= typical <= high <= 260, got {self.low}, {self.typical}, {self.high}")
        return self


class Progression(_GenreModel):
    """A chord progression in Roman numerals over one or more bars.

    ``chords`` is one string: chords separated by spaces, bars by ``|``; the chords of a bar share it evenly. A numeral
    is an optional b or #, then I–VII or i–vii (case selects a major or minor triad), then a quality suffix from
    CHORD_QUALITIES that replaces the triad (``ii9`` is minor so m9, ``V7``, ``Imaj7``, ``viiø`` m7b5, ``vii°`` dim,
    ``Isus4``, ``I5``), then optionally ``/`` and a numeral for the bass, or for a secondary dominant (``V7/ii``).
    Degrees count in the major scale for major-like modes and in the natural minor scale for minor-like ones. ``modes``
    are those that the progression suits, all of the genre's where empty.
    """

    chords: str
    modes: tuple[str, ...] = ()
    weight: float = 1.0
    use: Literal["any", "verse", "chorus", "bridge", "intro", "ending"] = "any"


class Harmony(_GenreModel):
    """The genre's choice of chords.

    ``color`` 0–1 is how often triads become sevenths and ninths beyond what is written, ``adventure`` 0–1 how often
    secondary dominants and borrowed chords appear.
    """

    progressions: Annotated[tuple[Progression, ...], Field(min_length=2)]
    cadences: tuple[str, ...] = ("V I",)
    color: Share = 0.3
    adventure: Share = 0.2
    style: Literal["functional", "modal", "static", "blues", "drone"] = "functional"


class Echo(_GenreModel):
    """A tape echo: each note sounds ``repeats`` more times, ``beats`` apart, each ``decay`` times as loud."""

    beats: Annotated[float, Field(gt=0, le=4)] = 0.75
    repeats: Annotated[int, Field(ge=1, le=6)] = 3
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.6


class GenrePart(_GenreModel):
    """A player of the band.

    ``entry`` 0–1 is the section energy, or the requested intensity, from which the part plays. ``instruments`` and
    ``style`` are lists of names of which the seed draws one: instruments from the instrument table; a ChordStyle for
    chordal roles, a BassStyle for the bass, a groove for drums and percussion. ``rhythm`` optionally gives patterns to
    play instead of the style's, each as bars of sixteenth steps separated by spaces (``x`` hit, ``X`` accent, ``.``
    rest, ``-`` hold, and the letters of accompaniment/chord_patterns.py and bass_patterns.py); the seed draws one whose
    bars are as long as the meter's. ``register`` is the MIDI pitch around which the part lies. ``chance`` is the
    probability that the band has this player. ``core`` says that the genre is not itself without this part, so that it
    stays beside instruments that a prompt names. ``echo`` repeats its notes.
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
    core: bool = False
    echo: Echo | None = None


class Groove(_GenreModel):
    """A drum pattern of one or more bars.

    ``patterns`` maps a drum (kick, snare, rim, clap, hat, open_hat, pedal_hat, ride, ride_bell, crash, tom_low,
    tom_mid, tom_high, shaker, tambourine, cowbell, conga_low, conga_high, conga_mute, bongo_low, bongo_high, clave,
    woodblock, triangle, timbale_low, timbale_high, guiro, cabasa, agogo_low, agogo_high, brush_tap, brush_swirl, snap,
    taiko, timpani) to steps: ``X`` accent, ``x`` normal, ``o`` soft, ``g`` ghost note, ``.`` rest; bars are separated
    by spaces. ``steps`` is the number of steps per bar: 16 in straight 4/4; 12 for triplets, 12/8 and 3/4. ``energy``
    is the range of section energies that the groove suits.
    """

    name: str
    patterns: Mapping[str, str]
    steps: Annotated[int, Field(ge=4, le=48)] = 16
    energy: tuple[float, float] = (0.0, 1.0)
    meter: str = "4/4"
    use: Literal["groove", "fill", "intro", "break"] = "groove"


class MelodyTaste(_GenreModel):
    """The style of the lead line.

    ``density`` is in notes per beat, ``leap`` the share of leaps, ``syncopation`` and ``ornament`` are 0–1,
    ``motif_bars`` is the length of the motif. ``scale`` is a mode to use instead of the key's, such as ``minor
    pentatonic``. ``rest`` is the share of phrases that end in a rest.
    """

    density: Annotated[float, Field(ge=0.05, le=4)] = 1.0
    leap: Share = 0.3
    syncopation: Share = 0.2
    ornament: Share = 0.1
    motif_bars: Literal[1, 2, 4] = 2
    scale: str | None = None
    rest: Share = 0.3


class Feel(_GenreModel):
    """The feel of the performance.

    ``swing`` is where the second note of a pair falls: 0.5 is straight, 0.667 triplet swing; ``swing_unit`` is 8 or 16.
    ``timing_ms`` is the spread of each player's timing, ``laid_back_ms`` how late snare and lead play, ``dynamics`` the
    spread of velocity 0–1, ``legato`` the share of a note's length that sounds.
    """

    swing: Annotated[float, Field(ge=0.5, le=0.75)] = 0.5
    swing_unit: Literal[8, 16] = 16
    timing_ms: Annotated[float, Field(ge=0, le=40)] = 6.0
    laid_back_ms: Annotated[float, Field(ge=-20, le=40)] = 0.0
    dynamics: Share = 0.15
    legato: Annotated[float, Field(ge=0.1, le=1.2)] = 0.9


class FormPlan(_GenreModel):
    """The sections of a full track in order, each ``name:bars:energy``; repeated or cut to meet the length."""

    sections: Annotated[tuple[str, ...], Field(min_length=1)]
    weight: float = 1.0


class GenreMix(_GenreModel):
    """The genre's mix settings, and the ambience that it adds by itself."""

    loudness_lufs: Annotated[float, Field(ge=-24, le=-8)] = -14.0
    room: Share = 0.2
    hall: Share = 0.15
    side_chain: Share = 0.0
    brightness_db: Annotated[float, Field(ge=-12, le=6)] = 0.0
    width: Annotated[float, Field(ge=0, le=1.5)] = 1.0
    production: tuple[str, ...] = ()
    ambience: tuple[str, ...] = ()

    def settings(self) -> MixSettings:
        """Return the mix settings for the score."""
        return MixSettings(**self.model_dump(exclude={"ambience"}))


class Genre(_GenreModel):
    """A genre: everything that sets its music apart from that of other genres.

    ``aliases`` maps a language code (en es de fr pt ja zh) to words that name the genre, ``anchors`` are sentences in
    several languages near to it in meaning, ``modes`` maps a mode to its weight. ``own_players`` says that its
    instruments make the genre, so that no related one stands in for them: no flute for klezmer's clarinet.
    """

    name: str
    title: str
    family: str
    aliases: Mapping[str, tuple[str, ...]]
    anchors: Annotated[tuple[str, ...], Field(min_length=4)]
    valence: Annotated[float, Field(ge=-1, le=1)]
    arousal: Annotated[float, Field(ge=-1, le=1)]
    tempo: TempoRange
    meters: Mapping[str, float] = Field(default_factory=lambda: {"4/4": 1.0})
    modes: Mapping[str, float]
    harmony: Harmony
    parts: Annotated[tuple[GenrePart, ...], Field(min_length=1)]
    own_players: bool = False
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
        # Parsed only for the error: a wrong meter must fail when the genre loads, not when a seed first draws it.
        for meter in self.meters:
            Meter.parse(meter)
        if unknown:
            raise ValueError(f"{self.name}: unknown modes {unknown}")
        return self


# Cached: the directory is part of the package and does not change.
@functools.cache
def genre_names() -> tuple[str, ...]:
    """Return the names of all genres, sorted."""
    files = (resources.files("tunesmith.composer") / "genres").iterdir()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


@functools.cache
def load_genre(name: str) -> Genre:
    """Return a genre by name; raise UnknownName with the nearest names where there is none."""
    if name not in genre_names():
        raise UnknownName("genre", name, genre_names())
    text = (resources.files("tunesmith.composer") / "genres" / f"{name}.yaml").read_text(encoding="utf-8")
    return Genre.model_validate({"name": name, **yaml.load(text, Loader=Loader)})  # noqa: S506  CSafeLoader is safe
