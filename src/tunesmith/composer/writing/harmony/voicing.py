"""Voicings: the pitches of a chord, spread as the genre requires, with voice leading by least movement."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.composer.theory import Chord

# E3: below it, close intervals sound muddy.
MUD = 52
# Semitones that stay clear below MUD.
CLEAR = 7
# The left hand of a two-handed voicing, E2 to E3: the register of a tenor.
LEFT_HAND = (40, 52)
RIGHT_HAND_VOICES = 3
# Semitones between the hands.
HANDS_APART = 4
Pitches = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VoiceLeading:
    """Where a voicing comes from: the ``previous`` pitches, the ``top`` that it should have, the pitches to ``avoid``.

    ``top`` None leaves the top voice to the least movement; ``avoid`` are pitches that other players sound.
    """

    previous: Pitches = ()
    top: int | None = None
    avoid: Pitches = ()


FREE = VoiceLeading()


# Cached: a song repeats its chords, and the search tries dozens of voicings.
@functools.lru_cache(maxsize=65536)
def voice_chord(
    chord: Chord, voicing: str, register: int, limits: tuple[int, int], count: int, leading: VoiceLeading = FREE
) -> Pitches:
    """Return at most ``count`` ascending pitches of ``chord`` near ``register``, within ``limits``.

    ``voicing`` is one of the genre's Voicing names, or ``hands``: the bass note and its fifth in the left hand, close
    tones in the right. The result is never empty where the limits span an octave.
    """
    low, high = limits
    tones = _tones(chord, voicing, count)
    best = min(
        _hands(chord, tones, (low, high), count)
        if voicing == "hands"
        else _candidates(tones, voicing, low, high, register),
        # The pitches break ties, so that equal costs give the same voicing everywhere.
        key=lambda pitches: (_cost(pitches, register, leading), pitches),
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


def _hands(chord: Chord, tones: Pitches, limits: tuple[int, int], count: int) -> Iterator[Pitches]:
    low, high = limits
    bottom = max(low, LEFT_HAND[0])
    root = bottom + (chord.bass_pitch_class - bottom) % 12
    fifth = root + next((step for step in chord.intervals if step in (6, 7, 8)), 7)
    # Over a foreign bass, a fifth above that bass would name another chord.
    left = (root, fifth) if chord.bass is None and len(chord.intervals) < 5 and count > len(LEFT_HAND) + 1 else (root,)
    # The right hand leaves the root to the left one where the chord has enough other tones.
    right = tuple(tone for tone in tones if tone != chord.root) if len(tones) > RIGHT_HAND_VOICES else tones
    voices = max(1, min(RIGHT_HAND_VOICES, count - len(left)))
    third = next(((chord.root + step) % 12 for step in chord.intervals if step in (3, 4)), None)
    # A right hand with a voice less reaches where all of them would touch the left one.
    for top, size in itertools.product(
        range(left[-1] + HANDS_APART, high + 1), dict.fromkeys((voices, max(1, voices - 1)))
    ):
        if top % 12 not in right:
            continue
        below = sorted(right, key=lambda tone, top=top: (top - tone) % 12)[:size]  # type: ignore[misc]
        # The third tells major from minor: it takes the place of another tone, and a lone voice is the third or none.
        if third is not None and third not in below:
            if size == 1 < voices:
                continue
            below[-1] = third
        close = tuple(sorted(top - (top - tone) % 12 for tone in below))
        if close[0] - left[-1] >= HANDS_APART:
            yield (*left, *close)


def _cost(pitches: Pitches, register: int, leading: VoiceLeading) -> float:
    centre = abs(sum(pitches) / len(pitches) - register)
    mud = sum(max(0, CLEAR - (b - a)) for a, b in itertools.pairwise(pitches) if a < MUD)
    # A semitone at the top is the harshest place for one.
    rub = sum(3.0 for a, b in itertools.pairwise(pitches) if b - a == 1 and b == pitches[-1])
    # A pitch that another player sounds adds nothing.
    shared = 2.5 * len(set(pitches) & set(leading.avoid))
    led = 0.0 if leading.top is None else 3.0 * abs(pitches[-1] - leading.top)
    previous = leading.previous
    if not previous:
        return centre + 3 * mud + rub + shared + led
    # Both directions count: a voice that disappears is as audible as one that leaps.
    moved = sum(min(abs(p - q) for q in previous) for p in pitches)
    moved += sum(min(abs(p - q) for p in pitches) for q in previous)
    # The top voice is heard as a melody, so its movement costs extra, unless a line leads it.
    top = abs(pitches[-1] - previous[-1]) if leading.top is None else 0
    return 0.45 * centre + 3 * mud + rub + shared + led + 0.5 * moved + 0.6 * top


def _squeezed(tones: Pitches, low: int, high: int) -> Pitches:
    """Return, where no spread fits a narrow instrument, the chord tones that it has, the lowest first."""
    found: list[int] = []
    for pitch in range(low, min(high, low + 18) + 1):
        # Close intervals are muddy here too.
        if pitch % 12 in tones and (not found or found[-1] >= MUD or pitch - found[-1] >= CLEAR):
            found.append(pitch)
    return tuple(found[: len(tones)]) or (low,)
