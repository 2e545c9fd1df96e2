"""Legato: in a line of a bowed, blown, sung or synthesised lead, a note that follows at once has no new attack."""

from __future__ import annotations

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.instruments import Instrument
from tunesmith.composer.rng import share
from tunesmith.composer.score import Note
from tunesmith.composer.sound.voice import SAMPLE_RATE

LINES = frozenset({"melody", "counter"})
CONNECTED = frozenset({"strings", "winds", "reeds", "brass", "voices", "synth"})
# Plucked sounds of those families: their attack is the sound.
STRUCK = frozenset({"pizzicato_strings", "orchestra_hit", "synth_pluck", "trance_pluck", "synth_stab", "fm_bell"})

NEAR_SECONDS = 0.03
"""The longest gap after which a note still follows at once."""

LARGEST_STEP = 7
"""Semitones; over a wider leap, a new bow stroke or breath is heard."""

SHORTEST_SECONDS = 0.15
SKIPPED = round(0.06 * SAMPLE_RATE)
"""Samples of the attack that a joined note leaves out."""

CROSSFADE = round(0.025 * SAMPLE_RATE)
NOISE_GAIN = 0.35
"""The noise of a joined note relative to that of one with an attack."""

GLIDING = 0.5
WIDEST_GLIDE = 5


def joins(before: Note | None, note: Note, gap_seconds: float, note_seconds: float) -> bool:
    """Return whether ``note`` continues ``before``, which ends ``gap_seconds`` earlier (less than 0: later)."""
    if before is None or before.start >= note.start or note_seconds < SHORTEST_SECONDS:
        return False
    return gap_seconds <= NEAR_SECONDS and 0 < abs(note.pitch - before.pitch) <= LARGEST_STEP


def connects(role: str, played: Instrument) -> bool:
    """Return whether a part of this ``role`` and instrument plays legato."""
    return role in LINES and played.family in CONNECTED and played.name not in STRUCK


def glide_between(before: Note, note: Note, played: Instrument, chance: int) -> int:
    """Return the interval from which a joined note slides in: half of a mono synth's near ones glide, no others."""
    interval = before.pitch - note.pitch
    glides = played.family == "synth" and played.polyphony == 1 and abs(interval) <= WIDEST_GLIDE
    return interval if glides and share(chance, 1) < GLIDING else note.glide


def without_attack(sound: Samples) -> Samples:
    """Return (2, samples) from after the attack, faded in over CROSSFADE; a sound too short for that is left whole."""
    if sound.shape[1] < SKIPPED + 2 * CROSSFADE:
        return sound
    joined = np.array(sound[:, SKIPPED:], np.float32)
    # Equal powers, because the tone that fades out meanwhile is another one.
    joined[:, :CROSSFADE] *= np.sin(np.linspace(0, np.pi / 2, CROSSFADE, dtype=np.float32))
    return joined
