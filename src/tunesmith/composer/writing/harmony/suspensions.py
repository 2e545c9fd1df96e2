"""Moving inner voices: 5-6, 8-9 and 3-4 over a chord that stays, resolved when the next voicing begins."""

from __future__ import annotations

from tunesmith.composer.theory import Chord, Key
from tunesmith.composer.writing.harmony.voicing import MUD, Pitches

MOVES = ("sixth", "ninth", "fourth")
# The interval above the root from which each movement starts, in semitones.
_FROM: dict[str, tuple[int, ...]] = {"sixth": (7,), "ninth": (0,), "fourth": (3, 4)}


def suspended(pitches: Pitches, chord: Chord, key: Key, move: str) -> Pitches:
    """Return the voicing with one inner voice a scale step higher; unchanged where that would clash or leave the key.

    ``move`` is one of MOVES. The lowest and the highest voice stay.
    """
    classes = set(key.pitch_classes)
    for index in range(1, len(pitches) - 1):
        pitch = pitches[index]
        if pitch < MUD or (pitch - chord.root) % 12 not in _FROM[move]:
            continue
        # A semitone above the fifth or the root would make it another chord: Am with F is F/A.
        steps = (1, 2) if move == "fourth" else (2,)
        step = next((step for step in steps if (pitch + step) % 12 in classes), 0)
        # A semitone to a neighbour, or the same pitch, would muddy the chord.
        if step and pitches[index + 1] - (pitch + step) >= 2:
            return (*pitches[:index], pitch + step, *pitches[index + 1 :])
    return pitches
