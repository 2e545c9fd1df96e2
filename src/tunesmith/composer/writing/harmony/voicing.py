"""Voicings: the pitches of a chord, spread as the genre requires, with voice leading by least movement."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

from tunesmith.composer.theory import Chord

# E3: below it, close intervals sound muddy.
MUD = 52
# Semitones that stay clear below MUD.
CLEAR = 7
Pitches = tuple[int, ...]


# Cached: a song repeats its chords, and the search tries dozens of voicings.
@functools.lru_cache(maxsize=65536)
def voice_chord(
    chord: Chord, voicing: str, register: int, limits: tuple[int, int], count: int, previous: Pitches = ()
) -> Pitches:
    """Return at most ``count`` ascending pitches of ``chord`` near ``register``, within ``limits``, near ``previous``.

    ``voicing`` is one of the genre's Voicing names. The result is never empty where the limits span an octave.
    """
    low, high = limits
    tones = _tones(chord, voicing, count)
    best = min(
        _candidates(tones, voicing, low, high, register),
        # The pitches break ties, so that equal costs give the same voicing everywhere.
        key=lambda pitches: (_cost(pitches, register, previous), pitches),
        default=None,
    )
    if best is None:
        return _squeezed(tones, low, high)
    return best


def _tones(chord: Chord, voicing: str, count: int) -> tuple[int, ...]:
    """Return the pitch classes to play, the most necessary first, at most ``count``."""
    steps = chord.intervals
    root, rest = steps[0], list(steps[1:])
    third = [s for s in rest if s in (2, 3, 4, 5)]
    fifth = [s for s in rest if s in (6, 7, 8)]
    seventh = [s for s in rest if s in (9, 10, 11)]
    high = [s for s in rest if s >= 12][::-1][:2]
    if voicing == "power":
        order = [root, *(fifth or [7])]
    elif voicing == "triad":
        order = [root, *third, *fifth] if chord.quality != "q" else list(steps)
    elif voicing == "rootless" and len(steps) >= 4:
        # Rootless: the bass has the root, so the piano plays third, seventh and tensions.
        order = [*third, *seventh, *high, *fifth][:4]
    elif voicing == "quartal":
        order = [4, 9, 14, 7] if 4 in steps and 10 not in steps else [0, 5, 10, 3 if 3 in steps else 14]
        order = order[:4] if count > 3 else order[:3]
    else:
        # Third and seventh define the chord; the fifth is the first that it can lose.
        order = [root, *third, *seventh, *high, *fifth] if len(steps) > 4 else list(steps)
        order = order[:5] if voicing == "pad" else order[:4]
    classes = dict.fromkeys((chord.root + step) % 12 for step in order)
    return tuple(classes)[: max(1, count)]


def _candidates(tones: Pitches, voicing: str, low: int, high: int, register: int) -> Iterator[Pitches]:
    for base in range(max(low, register - 20), min(high, register + 10) + 1):
        if base % 12 not in tones:
            continue
        start = tones.index(base % 12)
        if voicing == "power":
            if start == 0:
                yield from _within([(base, base + 7), (base, base + 7, base + 12)], low, high)
            continue
        if voicing == "quartal":
            order: tuple[int, ...] = (*tones[start:], *tones[:start])
        else:
            order = tuple(sorted(tones, key=lambda tone, base=base: (tone - base) % 12))  # type: ignore[misc]
        yield from _within(_spreads(_stacked(base, order), voicing), low, high)


def _stacked(base: int, order: Pitches) -> Pitches:
    pitches = [base]
    for tone in order[1:]:
        pitches.append(pitches[-1] + ((tone - pitches[-1]) % 12 or 12))
    return tuple(pitches)


def _spreads(close: Pitches, voicing: str) -> list[Pitches]:
    if len(close) < 3 or voicing in ("close", "triad", "rootless", "quartal", "power"):
        return [close]
    if voicing == "drop2":
        return [tuple(sorted((*close[:-2], close[-2] - 12, close[-1])))]
    if voicing == "open":
        return [tuple(sorted((close[0], close[1] + 12, *close[2:])))]
    # A pad takes the wide spread or, where that does not fit, the close one.
    return [tuple(sorted((close[0], close[1] + 12, *close[2:]))), close]


def _within(options: list[Pitches], low: int, high: int) -> Iterator[Pitches]:
    return (pitches for pitches in options if low <= pitches[0] and pitches[-1] <= high)


def _cost(pitches: Pitches, register: int, previous: Pitches) -> float:
    centre = abs(sum(pitches) / len(pitches) - register)
    mud = sum(max(0, CLEAR - (b - a)) for a, b in itertools.pairwise(pitches) if a < MUD)
    # A semitone at the top is the harshest place for one.
    rub = sum(3.0 for a, b in itertools.pairwise(pitches) if b - a == 1 and b == pitches[-1])
    if not previous:
        return centre + 3 * mud + rub
    # Both directions count: a voice that disappears is as audible as one that leaps.
    moved = sum(min(abs(p - q) for q in previous) for p in pitches)
    moved += sum(min(abs(p - q) for p in pitches) for q in previous)
    top = abs(pitches[-1] - previous[-1])
    # The top voice is heard as a melody, so its movement costs extra.
    return 0.45 * centre + 3 * mud + rub + 0.5 * moved + 0.6 * top


def _squeezed(tones: Pitches, low: int, high: int) -> Pitches:
    """Return, where no spread fits a narrow instrument, the chord tones that it has, the lowest first."""
    found = sorted({pitch for pitch in range(low, min(high, low + 18) + 1) if pitch % 12 in tones})
    return tuple(found[: len(tones)]) or (low,)
