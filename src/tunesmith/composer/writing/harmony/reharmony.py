"""Reharmonisation: sevenths and ninths, secondary dominants, tritone substitutes and borrowed chords."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.composer.brief import Mood
from tunesmith.composer.rng import chance_of
from tunesmith.composer.theory import Chord, Key

NINTHS_FROM = 0.6


def colored(chord: Chord, key: Key, color: float, random: np.random.Generator) -> Chord:
    """Extend a plain triad to a seventh or ninth chord within the key, with probability ``color``."""
    if chord.quality not in ("", "m") or not chance_of(random, color):
        return chord
    ninth = color >= NINTHS_FROM and chance_of(random, color - 0.4)
    classes = set(key.pitch_classes)
    in_key = {step: (chord.root + step) % 12 in classes for step in (10, 11, 14)}
    ninth = ninth and in_key[14]
    if chord.quality == "m":
        return Chord(chord.root, "m9" if ninth else "m7", chord.bass)
    if in_key[11] or not in_key[10]:
        return Chord(chord.root, "maj9" if ninth else "maj7", chord.bass)
    # A minor seventh makes a major triad a dominant, which only V or a colourful genre may have.
    if (chord.root - key.tonic) % 12 == 7 or color >= NINTHS_FROM:
        return Chord(chord.root, "9" if ninth else "7", chord.bass)
    return Chord(chord.root, "add9", chord.bass) if in_key[14] else chord


def reharmonised(
    bars: Sequence[tuple[Chord, ...]],
    first: int,
    key: Key,
    adventure: float,
    mood: Mood,
    style: str,
    random: np.random.Generator,
) -> list[tuple[Chord, ...]]:
    """Return ``bars[first:]`` with some chords prepared or replaced."""
    result = []
    for index in range(first, len(bars)):
        bar = bars[index]
        following = bars[index + 1][0] if index + 1 < len(bars) else None
        if style == "functional" and chance_of(random, adventure * 0.45):
            bar = _led(bar, following, key, adventure, mood, random)
        elif style == "modal" and len(bar) == 1 and bar[0].quality in ("", "m") and chance_of(random, adventure * 0.3):
            bar = (Chord(bar[0].root, "sus2", bar[0].bass), bar[0])
        result.append(bar)
    return result


def _led(
    bar: tuple[Chord, ...],
    following: Chord | None,
    key: Key,
    adventure: float,
    mood: Mood,
    random: np.random.Generator,
) -> tuple[Chord, ...]:
    last = bar[-1]
    # A bar of three chords has no room for another, and a repeated root needs no preparation.
    if following is None or len(bar) > 2 or last.root == following.root:
        return bar
    if _is_dominant(last):
        if following.root == (last.root + 5) % 12 and adventure >= 0.5 and chance_of(random, 0.5):
            # Tritone substitute.
            return (*bar[:-1], Chord((last.root + 6) % 12, "7"))
        return (*bar[:-1], Chord(last.root, "9sus4" if len(last.intervals) > 3 else "sus4"), last)[-2:]
    if not key.is_minor and last.root == (key.tonic + 5) % 12 and mood.valence < 0.35:
        # Borrowed minor subdominant (iv).
        return (*bar, Chord(last.root, "m6" if len(last.intervals) > 3 else "m"))[-2:]
    if len(bar) == 1 and following.root != key.tonic and (following.root - last.root) % 12 != 5:
        # A minor target wants the flat ninth, which belongs to its scale.
        minor = following.intervals[1] == 3
        return (last, Chord((following.root + 7) % 12, "7b9" if minor and adventure > 0.5 else "7"))
    return bar


def _is_dominant(chord: Chord) -> bool:
    return 4 in chord.intervals and 10 in chord.intervals
