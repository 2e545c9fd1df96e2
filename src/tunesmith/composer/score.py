"""The score: everything needed to render a piece, in beats and pitches, before any sound exists.

Score ── sections (bars, energy) ── chords (beats)
  ├───── parts ── notes (beats, pitch, velocity)
  ├───── ambience (rain, vinyl …)
  ├───── tempo_map: beats ⇄ seconds
  └───── mix (loudness, space, production)
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field, replace

from tunesmith.composer.theory import Chord, Key, Meter

ROLES = (
    "melody", "counter", "chords", "pad", "arpeggio", "bass", "drone", "drums", "percussion", "effects",
)  # fmt: skip


AMBIENCES = (
    "rain", "heavy_rain", "thunder", "ocean", "wind", "fire", "birds", "crowd", "stream", "night", "vinyl", "city",
    "cafe", "tape_hiss", "forest",
)  # fmt: skip
"""Background sounds by name."""

PRODUCTION = ("tape", "wow", "vinyl", "lofi", "distortion", "bitcrush", "telephone", "speech_room", "dry", "spacious")
"""Production effects by name."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note: ``start`` and ``length`` in beats on the 1/960 grid, MIDI ``pitch`` (a GM drum key in drum parts).

    ``velocity`` is 1–127. ``glide`` is the interval in semitones, relative to ``pitch``, from which the pitch slides
    in; 0 is no slide.
    """

    start: float
    length: float
    pitch: int
    velocity: int
    glide: int = 0

    @property
    def end(self) -> float:
        """The end in beats."""
        return self.start + self.length

    def struck(self, force: float) -> Note:
        """Return the note played ``force`` times as hard, within what MIDI allows."""
        return replace(self, velocity=min(127, max(1, round(self.velocity * force))))


@dataclass(frozen=True, slots=True)
class Part:
    """A player: a ``role`` from ROLES, an ``instrument`` from the instrument table, and notes sorted by start.

    ``gain_db`` and ``pan`` (−1 left to 1 right) place it in the mix. ``entry`` is the intensity, 0–1, from which the
    part plays when the piece is rendered at a given intensity.
    """

    name: str
    role: str
    instrument: str
    notes: tuple[Note, ...]
    gain_db: float = 0.0
    pan: float = 0.0
    entry: float = 0.0


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the form.

    ``name`` is intro, A, B, C, D, bridge, build, drop, break, outro or ending; ``bar`` is the first bar, from 0,
    ``bars`` their number, ``energy`` 0–1. ``gain_db`` is what the mix adds to the level of its parts.
    """

    name: str
    bar: int
    bars: int
    energy: float
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord that sounds from ``start`` for ``length`` beats."""

    start: float
    length: float
    chord: Chord

    @property
    def end(self) -> float:
        """The end in beats."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class TempoMap:
    """A map between beats and seconds.

    ``changes`` are (beat, quarter notes per minute), the first at beat 0, beats ascending. Raises ValueError where they
    are not.
    """

    changes: tuple[tuple[float, float], ...]
    _seconds: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.changes or self.changes[0][0] != 0 or any(bpm <= 0 for _, bpm in self.changes):
            raise ValueError("a tempo map starts at beat 0 and every tempo is above 0")
        # The time of each change is summed once, so that a lookup is one bisection.
        seconds = [0.0]
        for (beat, bpm), (following, _) in zip(self.changes, self.changes[1:], strict=False):
            if following <= beat:
                raise ValueError("the beats of a tempo map must ascend")
            seconds.append(seconds[-1] + (following - beat) * 60 / bpm)
        # A frozen dataclass sets a computed field only this way.
        object.__setattr__(self, "_seconds", tuple(seconds))

    def seconds_at(self, beat: float) -> float:
        """Return when ``beat`` sounds, in seconds; the last tempo holds for ever."""
        index = max(0, bisect.bisect_right(self.changes, beat, key=lambda change: change[0]) - 1)
        start, bpm = self.changes[index]
        return self._seconds[index] + (beat - start) * 60 / bpm

    def beat_at(self, seconds: float) -> float:
        """Return which beat sounds at ``seconds``."""
        index = max(0, bisect.bisect_right(self._seconds, seconds) - 1)
        start, bpm = self.changes[index]
        return start + (seconds - self._seconds[index]) * bpm / 60


@dataclass(frozen=True, slots=True)
class Ambience:
    """A background sound named in AMBIENCES, its level changed by ``gain_db``."""

    name: str
    gain_db: float = 0.0


MeterChanges = tuple[tuple[float, Meter], ...]
"""Meters, each with the beat from which on it holds; beats ascend."""

OCTAVES = 10
"""The octaves of the mixer's equaliser."""
OCTAVE_GAINS = ("octaves_db", "sides_db")
"""The settings of a mix with a gain for each octave."""


@dataclass(frozen=True, slots=True)
class MixSettings:
    """The settings with which the stems become the mix.

    ``room`` and ``hall`` are reverb sends 0–1, ``side_chain`` is how deep the kick ducks the other parts 0–1,
    ``brightness_db`` a tilt of the highs, ``width`` the stereo width (1 as played), ``production`` lists effects named
    in PRODUCTION. ``levels`` are stretches that lie so many dB above the rest, from and to a percentage of the bars:
    ``4@50-100``. ``octaves_db`` and ``sides_db`` are the gains of the bus's equaliser for OCTAVES octaves from 30 Hz:
    of the whole mix, and of its sides; none is flat.
    """

    loudness_lufs: float = -14.0
    room: float = 0.2
    hall: float = 0.15
    side_chain: float = 0.0
    brightness_db: float = 0.0
    width: float = 1.0
    production: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    octaves_db: tuple[float, ...] = ()
    sides_db: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """A whole piece: ``duration`` is its exact length in seconds; the end of a ``loop`` connects to its start.

    Bars are counted in ``meter`` throughout; ``meter_changes`` are the beats from which on another one is written.
    """

    title: str
    prompt: str
    genre: str
    seed: int
    key: Key
    meter: Meter
    tempo_map: TempoMap
    duration: float
    loop: bool
    form: str
    sections: tuple[Section, ...]
    chords: tuple[ChordSpan, ...]
    parts: tuple[Part, ...]
    ambience: tuple[Ambience, ...] = ()
    mix: MixSettings = MixSettings()
    meter_changes: MeterChanges = ()

    @property
    def bars(self) -> int:
        """The number of bars in the form."""
        return sum(section.bars for section in self.sections)

    @property
    def tempo_bpm(self) -> float:
        """The tempo at the start in felt beats a minute; the tempo map counts quarter notes."""
        return self.tempo_map.changes[0][1] / self.meter.felt_beat
