"""Keys, modes, meters, chords and pitch names: the music theory that the whole composer shares.

Pitches are MIDI numbers (60 = C4 = middle C); pitch classes are 0 (C) to 11 (B). A beat is always a quarter note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LETTERS: Mapping[str, int] = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
# F Bb Eb Ab Db: the major keys written with flats.
FLAT_MAJORS = frozenset({5, 10, 3, 8, 1})
# The grid of every written time: 1/960 of a quarter note also holds triplets exactly.
TICKS_PER_BEAT = 960

MODES: Mapping[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "double harmonic": (0, 1, 4, 5, 7, 8, 11),
    "ukrainian dorian": (0, 2, 3, 6, 7, 9, 10),
    # Javanese tunings have no equal in twelve equal steps; these are the nearest (slendro is about 240 cents a step).
    "slendro": (0, 2, 5, 7, 10),
    "pelog": (0, 1, 3, 7, 8),
    "hirajoshi": (0, 2, 3, 7, 8),
    "in": (0, 1, 5, 7, 8),
    "whole tone": (0, 2, 4, 6, 8, 10),
}
MINOR_LIKE = frozenset(name for name, scale in MODES.items() if 3 in scale and 4 not in scale)

CHORD_QUALITIES: Mapping[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "5": (0, 7),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "69": (0, 4, 7, 9, 14),
    "add9": (0, 4, 7, 14),
    "madd9": (0, 3, 7, 14),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "mmaj7": (0, 3, 7, 11),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "7sus4": (0, 5, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
    "9sus4": (0, 5, 7, 10, 14),
    "7b9": (0, 4, 7, 10, 13),
    "7#9": (0, 4, 7, 10, 15),
    "7#5": (0, 4, 8, 10),
    "11": (0, 4, 7, 10, 14, 17),
    "m11": (0, 3, 7, 10, 14, 17),
    "maj7#11": (0, 4, 7, 11, 18),
    "13": (0, 4, 7, 10, 14, 21),
    "maj13": (0, 4, 7, 11, 14, 21),
    # Quartal: stacked fourths.
    "q": (0, 5, 10),
}

_NOTE = re.compile(r"^([A-Ga-g])([#b♯♭]?)(-?\d+)$")
_CHORD = re.compile(r"^([A-G])([#b]?)([^/]*)(?:/([A-G])([#b]?))?$")
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}


def on_grid(beats: float) -> float:
    """Round a time in beats to the written grid of 1/960 beat."""
    return round(beats * TICKS_PER_BEAT) / TICKS_PER_BEAT


def pitch_name(pitch: int, *, flats: bool = False) -> str:
    """Return the name of a MIDI pitch: 60 -> ``C4``."""
    return f"{(FLAT_NAMES if flats else SHARP_NAMES)[pitch % 12]}{pitch // 12 - 1}"


def parse_pitch(name: str) -> int:
    """Return the MIDI pitch 0–127 of ``C4``, ``Bb2`` or ``f#3``; raise ValueError for anything else."""
    match = _NOTE.match(name)
    if match is None:
        raise ValueError(f"{name!r} is not a pitch such as C4 or Bb2")
    letter, accidental, octave = match.groups()
    pitch = LETTERS[letter.upper()] + _ACCIDENTALS[accidental] + 12 * (int(octave) + 1)
    if not 0 <= pitch <= 127:
        raise ValueError(f"{name!r} lies outside C-1 to G9")
    return pitch


@dataclass(frozen=True, slots=True)
class Key:
    """A key: a tonic pitch class 0–11 and a mode named in MODES."""

    tonic: int
    mode: str

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"{self.mode!r} is not a mode; known are {', '.join(MODES)}")
        if not 0 <= self.tonic <= 11:
            raise ValueError(f"tonic must be 0 to 11, got {self.tonic}")

    @property
    def scale(self) -> tuple[int, ...]:
        """The scale in semitones above the tonic."""
        return MODES[self.mode]

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is minor."""
        return self.mode in MINOR_LIKE

    @property
    def uses_flats(self) -> bool:
        """Whether the key is written with flats."""
        # A minor key has the signature of its relative major, three semitones above.
        major = (self.tonic + 3) % 12 if self.is_minor else self.tonic
        return major in FLAT_MAJORS

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The scale as pitch classes, from the tonic up."""
        return tuple((self.tonic + step) % 12 for step in self.scale)

    @property
    def tonic_name(self) -> str:
        """The tonic as the key is written: ``C#`` or ``Db``."""
        return (FLAT_NAMES if self.uses_flats else SHARP_NAMES)[self.tonic]

    def __str__(self) -> str:
        return f"{self.tonic_name} {self.mode}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """Return the key of ``A minor``, ``Am``, ``F# dorian``, ``Bb`` or ``c``; raise ValueError for anything else."""
        match = re.match(r"^\s*([A-Ga-g])([#♯b♭]|[ -]?sharp\b|[ -]?flat\b)?\s*(.*?)\s*$", text)
        if match is None:
            raise ValueError(f"{text!r} is not a key such as 'A minor' or 'F# dorian'")
        letter, accidental, rest = match.groups()
        shift = {"sharp": 1, "flat": -1}.get((accidental or "").strip(" -"), _ACCIDENTALS.get(accidental or "", 0))
        short = {
            "": "major",
            "m": "minor",
            "min": "minor",
            "maj": "major",
            "M": "major",
            "ionian": "major",
            "aeolian": "minor",
        }
        # Case matters first: "M" is major, "m" is minor.
        mode = short.get(rest, short.get(rest.lower(), rest.lower()))
        if mode not in MODES:
            raise ValueError(f"{text!r} is not a key such as 'A minor' or 'F# dorian'; modes are {', '.join(MODES)}")
        return cls((LETTERS[letter.upper()] + shift) % 12, mode)


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature; ``beats_per_bar`` counts quarter notes, ``felt_beat`` is the tapped pulse in quarter notes."""

    numerator: int = 4
    denominator: int = 4

    def __post_init__(self) -> None:
        if self.denominator not in (2, 4, 8, 16) or not 1 <= self.numerator <= 15:
            raise ValueError(f"{self} is not a meter such as 4/4, 3/4, 6/8 or 5/4 (1–15 over 2, 4, 8 or 16)")

    @property
    def beats_per_bar(self) -> float:
        """The length of a bar in quarter notes."""
        return self.numerator * 4 / self.denominator

    @property
    def is_compound(self) -> bool:
        """Whether the pulse is a dotted note (6/8, 9/8, 12/8)."""
        return self.denominator >= 8 and self.numerator % 3 == 0 and self.numerator > 3

    @property
    def felt_beat(self) -> float:
        """The length of the felt pulse in quarter notes: 1.5 in 6/8, 1 in 4/4."""
        # In sixteenth meters such as 12/16, the tempo still counts quarter notes.
        return (3 if self.is_compound else 1) * 4 / self.denominator if self.denominator != 16 else 1.0

    @property
    def steps_per_bar(self) -> int:
        """The number of sixteenth notes in a bar."""
        return round(self.beats_per_bar * 4)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"

    @classmethod
    def parse(cls, text: str) -> Meter:
        """Return the meter of a text such as ``3/4``; raise ValueError for anything else."""
        match = re.match(r"^\s*(\d{1,2})\s*/\s*(\d{1,2})\s*$", text)
        if match is None:
            raise ValueError(f"{text!r} is not a meter such as 4/4, 3/4, 6/8 or 5/4")
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: ``root`` pitch class, ``quality`` named in CHORD_QUALITIES, ``bass`` pitch class (None: the root)."""

    root: int
    quality: str
    bass: int | None = None

    def __post_init__(self) -> None:
        if self.quality not in CHORD_QUALITIES:
            known = ", ".join(filter(None, CHORD_QUALITIES))
            raise ValueError(f"{self.quality!r} is not a chord quality; known are {known}")
        # C/C and C are the same chord, so they must compare equal.
        if self.bass == self.root:
            object.__setattr__(self, "bass", None)

    @property
    def intervals(self) -> tuple[int, ...]:
        """The intervals in semitones above the root, extensions above the octave."""
        return CHORD_QUALITIES[self.quality]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The pitch classes from the root up."""
        return tuple((self.root + step) % 12 for step in self.intervals)

    @property
    def bass_pitch_class(self) -> int:
        """The pitch class that the bass plays: the slash note, or else the root."""
        return self.root if self.bass is None else self.bass

    def moved(self, semitones: int) -> Chord:
        """Return the chord so many semitones higher."""
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return Chord((self.root + semitones) % 12, self.quality, bass)

    def __str__(self) -> str:
        slash = f"/{FLAT_NAMES[self.bass]}" if self.bass is not None else ""
        return f"{FLAT_NAMES[self.root]}{self.quality}{slash}"

    @classmethod
    def parse(cls, text: str) -> Chord:
        """Return the chord of ``Cmaj7``, ``Bbm7``, ``F#7b9`` or ``D/F#``; raise ValueError for anything else."""
        match = _CHORD.match(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a chord such as Cmaj7, Bbm7 or D/F#")
        letter, accidental, quality, bass_letter, bass_accidental = match.groups()
        bass = (LETTERS[bass_letter] + _ACCIDENTALS[bass_accidental]) % 12 if bass_letter else None
        return cls((LETTERS[letter] + _ACCIDENTALS[accidental]) % 12, quality, bass)
