"""The chords of notes that name none: for each bar the chord that fits it best and leads on well.

A chord is scored by the notes that it has and lacks, weighted by length and place in the bar; the best path over all
bars is found by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from tunesmith.composer.score import ChordSpan, Note
from tunesmith.composer.theory import Chord, Key, Meter, on_grid

QUALITIES = ("", "m", "dim", "7", "maj7", "m7", "m7b5", "sus4")
# How much of a line may overlap itself.
OVERLAP = 0.2
PLAIN_QUALITIES = ("", "m", "7")
"""The chords with which a melody alone is harmonised."""

# What a note outside a chord costs, where one within it earns 1.
OUTSIDE = 1.2
# Prefers triads to chords of four notes, which contain them, and both to what is rare.
FOURTH_NOTE, RARE = 0.12, 0.12
CHROMATIC, FRAME, LOWEST, FIFTH_DOWN = 0.45, 0.35, 0.25, 0.10
# How much a chord that stays is worth across a bar line, and within a bar.
STAYS, STAYS_INSIDE = 0.04, 0.15
# By semitones above the tonic: how usual a chord on this degree is.
USUAL = {0: 0.2, 5: 0.12, 7: 0.15, 9: 0.05, 2: 0.03, 8: 0.05, 10: 0.03, 3: 0.03}
# The first beats of a bar and of its half say most about the chord.
ON_THE_BEAT = 1.6


def chords_of_notes(notes: Sequence[Note], key: Key, meter: Meter, bars: int) -> tuple[ChordSpan, ...]:
    """Return one or two chords for each bar; bars without notes keep the chord before, or the tonic."""
    beats = meter.beats_per_bar
    # A bar of two or four felt beats may change its chord in the middle.
    halves = 2 if round(beats / meter.felt_beat) % 2 == 0 else 1
    slot, alone = beats / halves, is_line(notes)
    options = _options(key, PLAIN_QUALITIES if alone else QUALITIES)
    fits = np.array([_fits(notes, number * slot, slot, options, key, alone) for number in range(bars * halves)])
    # A piece begins and ends at home, where its notes allow it.
    home = np.array([FRAME * (chord.root == key.tonic) for chord in options])
    fits[0] += home
    fits[-halves:] += 2 * home
    path = _best_path(fits, _moves(options, STAYS), _moves(options, STAYS_INSIDE), halves)
    return tuple(_spans([options[choice] for choice in path], slot, halves))


def is_line(notes: Sequence[Note]) -> bool:
    """Return whether notes are one line, such as a melody: few of them begin while another one sounds."""
    overlaps, end = 0, -1.0
    for note in notes:
        # A legato that is held a little too long is no chord.
        overlaps += note.start < end - 0.1
        end = max(end, note.end)
    return overlaps <= OVERLAP * len(notes)


def _spans(chords: Sequence[Chord], slot: float, halves: int) -> Iterator[ChordSpan]:
    for first in range(0, len(chords), halves):
        inside = chords[first : first + halves]
        for number, chord in enumerate(inside):
            if number and chord == inside[number - 1]:
                continue
            length = slot if len(set(inside)) > 1 else slot * halves
            yield ChordSpan(on_grid((first + number) * slot), on_grid(length), chord)


@cache
def _options(key: Key, qualities: tuple[str, ...]) -> tuple[Chord, ...]:
    scale = set(key.pitch_classes) | ({(key.tonic + 11) % 12} if key.is_minor else set())
    chords = [Chord(root, quality) for root in range(12) for quality in qualities]
    # At most one tone outside the key: secondary dominants and borrowed chords, but no strangers.
    return tuple(chord for chord in chords if sum(tone not in scale for tone in chord.pitch_classes) <= 1)


def _fits(
    notes: Sequence[Note], start: float, length: float, options: Sequence[Chord], key: Key, alone: bool
) -> npt.NDArray[np.float64]:
    """Return how well each chord fits the notes from ``start`` for ``length`` beats, (options,)."""
    weights = np.zeros(12)
    sounding = [note for note in notes if note.start < start + length - 1e-6 and note.end > start + 0.1]
    for note in sounding:
        inside = min(note.end, start + length) - max(note.start, start)
        weights[note.pitch % 12] += inside * (ON_THE_BEAT if abs(note.start - start) < 0.1 else 1.0)
    total = weights.sum() or 1.0
    # The lowest note of a melody is no bass.
    bass = min(sounding, key=lambda note: note.pitch).pitch % 12 if sounding and not alone else None
    scale = set(key.pitch_classes)
    fits = []
    for chord in options:
        tones = set(chord.pitch_classes)
        own = sum(weights[tone] for tone in tones) / total
        fit = own - OUTSIDE * (1 - own if sounding else 0.0)
        fit -= FOURTH_NOTE * (len(tones) > 3) + RARE * (chord.quality in ("dim", "sus4"))
        fit -= CHROMATIC * bool(tones - scale) * (0.5 if own > 0.99 and not alone else 1.0)
        fits.append(fit + USUAL.get((chord.root - key.tonic) % 12, 0.0) + LOWEST * (chord.root == bass))
    return np.array(fits)


def _moves(options: Sequence[Chord], stays: float) -> npt.NDArray[np.float64]:
    """Return how well each chord follows each other one, (before, after)."""
    return np.array(
        [
            [stays * (one == other) + FIFTH_DOWN * ((one.root - other.root) % 12 == 7) for other in options]
            for one in options
        ]
    )


def _best_path(
    fits: npt.NDArray[np.float64], across: npt.NDArray[np.float64], inside: npt.NDArray[np.float64], halves: int
) -> list[int]:
    """Return the best chord of each slot; ``across`` are the moves over a bar line, ``inside`` those within a bar."""
    best = fits[0]
    back: list[npt.NDArray[np.int64]] = []
    for number, row in enumerate(fits[1:], start=1):
        reached = best[:, None] + (inside if number % halves else across)
        back.append(reached.argmax(axis=0))
        best = reached.max(axis=0) + row
    path = [int(best.argmax())]
    for came_from in reversed(back):
        path.append(int(came_from[path[-1]]))
    return path[::-1]
