"""Passing chords: inversions in the second half of a bar that lead the bass to the next chord by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.composer.rng import chance_of, rng_for
from tunesmith.composer.theory import Chord, Key

SHARES: Mapping[str, float] = {
    "pop": 0.45, "folk": 0.45, "orchestral": 0.5, "cinematic": 0.45, "classical": 0.45, "piano": 0.55, "soul": 0.3,
    "rock": 0.2, "kids": 0.3, "world": 0.15, "band": 0.25, "ambient": 0.2, "electronic": 0.15, "reggae": 0.1,
}  # fmt: skip
"""How often a bar that can takes a passing chord, by genre family; the others take none."""
# Intervals in scale steps from one bass note to the next.
DOWN_A_THIRD, UP_A_THIRD, UP_A_FOURTH = 5, 2, 3
SCALE_TONES = 7
_TRIADS: Mapping[tuple[int, int], str] = {(4, 7): "", (3, 7): "m"}


def with_passing_chords(
    bars: Sequence[tuple[Chord, ...]], key: Key, share: float, seed: int
) -> tuple[tuple[Chord, ...], ...]:
    """Return the bars of a progression, some bars of one chord with a passing chord into the next bar, or the first."""
    result = []
    for index, bar in enumerate(bars):
        following = bars[(index + 1) % len(bars)][0]
        passing = passing_chord(bar[0], following, key) if len(bar) == 1 else None
        drawn = chance_of(rng_for(seed, "passing chord", index), share)
        result.append((*bar, passing) if passing is not None and drawn else bar)
    return tuple(result)


def passing_chord(chord: Chord, following: Chord, key: Key) -> Chord | None:
    """Return the inversion whose bass lies between those of two chords: ``G/B`` from C to Am, ``C/E`` from C to F.

    None where the bass moves by another interval, or where the key has no such major or minor triad.
    """
    scale = key.pitch_classes
    if len(scale) != SCALE_TONES or not {chord.bass_pitch_class, following.bass_pitch_class} <= set(scale):
        return None
    start = scale.index(chord.bass_pitch_class)
    distance = (scale.index(following.bass_pitch_class) - start) % SCALE_TONES
    if distance == DOWN_A_THIRD:
        # The note between is the third of its chord.
        found = _triad(scale, start - 3, scale[(start - 1) % SCALE_TONES])
    elif distance == UP_A_THIRD:
        # The note between is the fifth of its chord.
        found = _triad(scale, start - 3, scale[(start + 1) % SCALE_TONES])
    elif distance == UP_A_FOURTH and chord.bass is None and chord.intervals[1] in (3, 4):
        found = Chord(chord.root, chord.quality, (chord.root + chord.intervals[1]) % 12)
    else:
        return None
    return None if found is not None and found.root == following.root else found


def _triad(scale: Sequence[int], degree: int, bass: int) -> Chord | None:
    root, third, fifth = (scale[(degree + step) % SCALE_TONES] for step in (0, 2, 4))
    quality = _TRIADS.get(((third - root) % 12, (fifth - root) % 12))
    return None if quality is None else Chord(root, quality, bass)
