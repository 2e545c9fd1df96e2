"""The table of onset noises: how each family of instruments, and each drum, is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.instruments import Instrument


@dataclass(frozen=True, slots=True)
class NoiseKind:
    """A kind of noise between ``low`` and ``high`` Hz.

    ``level_db`` is its level over the first 0.1 s, at full velocity, relative to the level of the note. ``attack`` is
    the rise and ``decay`` the time to −60 dB, in seconds. ``tail_db`` is the share that fades slowly with the note,
    relative to the peak (None: nothing); ``release_db`` is the peak at the release relative to that at the onset
    (None: silent).
    """

    low: float
    high: float
    level_db: float
    attack: float
    decay: float
    tail_db: float | None = None
    release_db: float | None = None


PICK = NoiseKind(1_500, 7_000, -18, 0.001, 0.16, tail_db=-18, release_db=-15)
FINGER = NoiseKind(1_500, 6_000, -24, 0.002, 0.12, tail_db=-20, release_db=-12)
BOW = NoiseKind(1_500, 6_500, -19, 0.03, 0.4, tail_db=-6)
HAMMER = NoiseKind(1_300, 6_000, -19, 0.001, 0.16, tail_db=-18, release_db=-16)
KEY = NoiseKind(2_000, 9_000, -22, 0.001, 0.08, tail_db=-18, release_db=-10)
BREATH = NoiseKind(1_500, 7_500, -19, 0.015, 0.3, tail_db=-7)
LIPS = NoiseKind(1_400, 7_000, -19, 0.012, 0.2, tail_db=-10)
VOICE = NoiseKind(2_000, 9_000, -19, 0.04, 0.5, tail_db=-6)
MALLET = NoiseKind(2_000, 9_000, -20, 0.001, 0.12, tail_db=-20)
AIR = NoiseKind(2_500, 14_000, -18, 0.02, 0.5, tail_db=-4)
TRANSIENT = NoiseKind(2_000, 9_000, -18, 0.001, 0.16, tail_db=-16)

BY_FAMILY: Mapping[str, NoiseKind] = {
    "keys": HAMMER, "mallets": MALLET, "plucked": PICK, "guitar": PICK, "bass": FINGER, "strings": BOW, "voices": VOICE,
    "brass": LIPS, "reeds": BREATH, "winds": BREATH, "percussion": MALLET, "synth": TRANSIENT, "pads": AIR,
}  # fmt: skip
"""The noise of each family; chips and effects have none."""

BY_INSTRUMENT: Mapping[str, NoiseKind] = {
    "organ": KEY, "rock_organ": KEY, "church_organ": KEY, "house_organ": KEY, "accordion": KEY, "bandoneon": KEY,
    "harpsichord": PICK, "clavinet": PICK, "pizzicato_strings": PICK, "harp": FINGER, "contrabass": BOW,
}  # fmt: skip
"""Instruments that are touched in another way than their family."""

SCRATCH = NoiseKind(1_000, 6_500, -5, 0.002, 0.07)
"""A stroke over strings that the left hand damps: hardly a tone, mostly plectrum."""
CHOKED_SECONDS = 0.04
"""Guitar notes shorter than this are damped strokes."""

BEATER = NoiseKind(1_800, 7_000, -24, 0.001, 0.06)
STICK = NoiseKind(2_000, 9_000, -19, 0.001, 0.12)
SKIN = NoiseKind(1_500, 9_000, -18, 0.001, 0.1)
SHAKE = NoiseKind(4_000, 9_500, -18, 0.012, 0.2)
CYMBAL = NoiseKind(4_500, 9_500, -17, 0.001, 0.35)

DRUMS_BY_NOISE: Mapping[NoiseKind, tuple[str, ...]] = {
    BEATER: ("kick", "taiko", "timpani"),
    STICK: ("rim", "snare", "clap", "tom_low", "tom_mid", "tom_high", "timbale_high", "timbale_low", "clave",
            "woodblock", "snap"),
    SKIN: ("bongo_high", "bongo_low", "conga_mute", "conga_high", "conga_low"),
    SHAKE: ("tambourine", "cabasa", "shaker", "guiro", "brush_swirl"),
    CYMBAL: ("hat", "pedal_hat", "open_hat", "crash", "ride", "ride_bell", "triangle", "cowbell", "agogo_high",
             "agogo_low"),
}  # fmt: skip
BY_DRUM: Mapping[int, NoiseKind] = {DRUM_KEYS[drum]: kind for kind, drums in DRUMS_BY_NOISE.items() for drum in drums}
"""The noise of each drum by its General MIDI key."""

EXACT_FAMILIES, EXACT_KITS = frozenset({"chip", "effects"}), frozenset({"chip_kit"})


def is_exact(played: Instrument) -> bool:
    """Return whether all notes of ``played`` are the same, without noise or chance, as the machine's were."""
    return played.family in EXACT_FAMILIES or played.name in EXACT_KITS


def noise_kind(played: Instrument, pitch: int, seconds: float = 1.0) -> NoiseKind | None:
    """Return how ``played`` is touched at ``pitch`` (a drum key for kits), or None where it makes no noise.

    ``seconds`` is the length of the note, which on a guitar may be no more than a damped stroke.
    """
    if played.family == "guitar" and seconds < CHOKED_SECONDS:
        return SCRATCH
    if is_exact(played) or (played.family == "bass" and played.source == "synth"):
        return None
    if played.is_kit:
        return BY_DRUM.get(pitch, STICK)
    return BY_INSTRUMENT.get(played.name, BY_FAMILY.get(played.family))
