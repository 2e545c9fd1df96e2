"""Synthesiser patches: frozen tables of numbers that the engines turn into sound.

Times are in seconds, frequencies in Hz, levels linear. A patch has no loudness: every voice is calibrated to the same
level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Envelope:
    """An attack, an exponential decay to ``sustain`` (0–1), and a release.

    ``decay`` and ``release`` are the times to −60 dB.
    """

    attack: float = 0.004
    decay: float = 0.3
    sustain: float = 1.0
    release: float = 0.1


@dataclass(frozen=True, slots=True)
class Oscillator:
    """A band-limited wave from the wave table, ``semitones`` from the note.

    ``unison`` copies are detuned by up to ``detune_cents`` either way and spread by ``spread`` (0–1) over the stereo
    width. ``duty`` is the share of the period for which a ``pulse`` is high.
    """

    wave: str = "saw"
    level: float = 1.0
    semitones: float = 0.0
    unison: int = 1
    detune_cents: float = 0.0
    spread: float = 0.0
    duty: float = 0.5


@dataclass(frozen=True, slots=True)
class Filter:
    """A resonant filter at ``cutoff`` Hz for middle C; tracking, envelope and velocity move it, in octaves.

    ``tracking`` is in octaves per octave of pitch; ``envelope_octaves`` is what the envelope adds at its peak;
    ``velocity_octaves`` is what full velocity adds over the softest.
    """

    kind: Literal["low12", "low24", "high12", "band"] = "low24"
    cutoff: float = 4_000.0
    resonance: float = 0.8
    tracking: float = 0.4
    envelope: Envelope = Envelope()
    envelope_octaves: float = 0.0
    velocity_octaves: float = 1.2


@dataclass(frozen=True, slots=True)
class Lfo:
    """A slow sine (or ``triangle``) on ``pitch`` (depth in semitones), ``cutoff`` (octaves), ``duty`` or ``level``.

    It fades in over ``delay`` seconds. A ``synced`` one makes a whole number of turns in the tone's length, with a rate
    as near to ``rate`` as possible, so that it is in time with the music without knowing the tempo.
    """

    target: Literal["pitch", "cutoff", "duty", "level"]
    rate: float
    depth: float
    delay: float = 0.0
    synced: bool = False
    wave: Literal["sine", "triangle"] = "sine"


@dataclass(frozen=True, slots=True)
class Subtractive:
    """Oscillators and noise through a filter, an amplifier, a saturation and a chorus.

    ``bend`` semitones are added at the onset and gone after ``bend_seconds``; ``glide_seconds`` is the duration of a
    slide; ``drive`` above 0 saturates; ``chorus`` (0–1) widens; ``reference`` is the pitch at which the voice is
    calibrated.
    """

    oscillators: tuple[Oscillator, ...]
    amplifier: Envelope = Envelope()
    filter: Filter | None = Filter()
    lfos: tuple[Lfo, ...] = ()
    noise: float = 0.0
    bend: float = 0.0
    bend_seconds: float = 0.05
    glide_seconds: float = 0.07
    drive: float = 0.0
    chorus: float = 0.0
    reference: int = 60


@dataclass(frozen=True, slots=True)
class Operator:
    """A carrier with a modulator, at ``ratio`` and ``modulator_ratio`` times the note's frequency.

    The modulation index decays from ``index`` to ``index_sustain`` times itself; ``index_decay`` is the time to −60 dB.
    """

    ratio: float = 1.0
    level: float = 1.0
    modulator_ratio: float = 1.0
    index: float = 1.0
    index_decay: float = 0.6
    index_sustain: float = 0.2
    amplifier: Envelope = Envelope()
    detune_cents: float = 0.0


@dataclass(frozen=True, slots=True)
class Fm:
    """Frequency modulation with parallel operators."""

    operators: tuple[Operator, ...]
    vibrato: Lfo | None = None
    drive: float = 0.0
    chorus: float = 0.0
    glide_seconds: float = 0.06
    reference: int = 60


@dataclass(frozen=True, slots=True)
class PluckedString:
    """A plucked string.

    ``ring`` is the time to −60 dB at middle C, ``damping`` is 0 (bright) to 1 (dull), ``position`` is the plucking
    point as a share of the length, ``body`` are its resonances (Hz, gain), and ``low_pass`` in Hz is where a body that
    radiates only lows closes (0: open).
    """

    ring: float = 2.5
    damping: float = 0.35
    position: float = 0.18
    body: tuple[tuple[float, float], ...] = ((110.0, 0.5), (220.0, 0.4), (410.0, 0.25))
    release: float = 0.25
    low_pass: float = 0.0
    reference: int = 60


@dataclass(frozen=True, slots=True)
class Chip:
    """A channel of a 1980s game console: ``duty`` of the pulse (0: the 32-step triangle), volume in 16 steps.

    The volume falls by one step every ``frames_a_step`` sixtieths of a second, down to ``floor`` (of 15). With
    ``slots`` above 1 the notes of a chord alternate, one sixtieth each, as those consoles imitated chords.
    """

    duty: float = 0.5
    frames_a_step: int = 3
    floor: int = 6
    vibrato_cents: float = 18.0
    slots: int = 1
    reference: int = 72


@dataclass(frozen=True, slots=True)
class TransitionEffect:
    """An effect as long as its tone: noise and a tone that sweep between two frequencies, with a loudness ``shape``.

    ``shape`` is ``rise``, ``fall``, ``swell`` (up and down) or ``hit``; ``boom`` adds a low thud at the onset, ``tone``
    a detuned saw chord, ``metal`` the inharmonic shimmer of a cymbal.
    """

    shape: Literal["rise", "fall", "swell", "hit"]
    low: float = 300.0
    high: float = 9_000.0
    tone: float = 0.0
    metal: float = 0.0
    boom: float = 0.0


Patch = Subtractive | Fm | PluckedString | Chip | TransitionEffect
