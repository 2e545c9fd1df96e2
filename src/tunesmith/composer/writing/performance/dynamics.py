"""Dynamics: the velocity of each note, by phrase, meter, section and chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.score import Note
from tunesmith.composer.writing.performance.chord_notes import chords_in
from tunesmith.composer.writing.plan import Plan, Player

SINGING = frozenset({"melody", "counter"})
HATS = frozenset(
    DRUM_KEYS[name] for name in ("hat", "open_hat", "pedal_hat", "ride", "shaker", "cabasa", "brush_swirl")
)
# Beats of silence that end a phrase.
PHRASE_REST = 0.9
# Velocity gained towards the peak of a phrase.
SWELL = 12.0
ACCENT = 5.0
ACCOMPANYING = frozenset({"chords", "pad", "arpeggio", "bass"})
BAR_ACCENTS: Mapping[str, float] = {"chords": 17, "arpeggio": 15, "bass": 8, "pad": 8, "drums": 14, "percussion": 14}
"""By how much velocity a player stresses or spares a place in the bar at most, by role."""
# Velocity by which the top of a chord stands out, and its inner voices stay back: a pianist's voicing.
TOP, INNER = 4.0, 6.0
# Velocity of the swell over a phrase, its length in bars, and where in it the highest point lies.
ARC, ARC_BARS, PEAK = 7.0, 4, 0.75


def velocities(plan: Plan, player: Player, notes: Sequence[Note]) -> npt.NDArray[np.int64]:
    """Return the velocity of each note as played, 1–127, (notes,)."""
    if not notes:
        return np.zeros(0, dtype=np.int64)
    spread = plan.genre.feel.dynamics
    levels = np.array([note.velocity for note in notes], dtype=np.float64)
    if player.role in ("drums", "percussion"):
        levels += _wave(plan, notes) * spread * 30
    else:
        starts = np.array([note.start for note in notes])
        at = starts % plan.beats_per_bar
        levels += np.where(at < 1e-6, ACCENT, np.where(at % plan.meter.felt_beat < 1e-6, 0.0, -ACCENT)) * min(
            1, 4 * spread
        )
    if player.role in ACCOMPANYING:
        levels += (_voices(notes) + _arc(plan, notes)) * min(1.0, 5 * spread)
    levels += _bar_accents(plan, player, notes) * min(1.0, 5 * spread)
    if player.role in SINGING:
        levels += _swells(notes) * SWELL * min(1.0, 0.3 + 3 * spread)
    # A kit varies less: uneven drum hits sound like mistakes sooner than uneven chords do.
    draws = plan.section_draws(player, "dynamics")
    chance = np.array([draws(note.start).standard_normal() for note in notes])
    levels += chance * spread * (12 if player.role != "drums" else 7)
    return np.clip(np.round(levels), 1, 127).astype(np.int64)


def _voices(notes: Sequence[Note]) -> npt.NDArray[np.float64]:
    """Return how much the top note of each chord stands out and its inner notes stay back, (notes,).

    Expects the notes sorted by start and pitch.
    """
    shape = np.zeros(len(notes))
    for chord in chords_in(notes):
        shape[chord.start + 1 : chord.stop - 1] = -INNER
        shape[chord.stop - 1] = TOP
    return shape


def _arc(plan: Plan, notes: Sequence[Note]) -> npt.NDArray[np.float64]:
    """Return a swell over each four bars of a section, highest at the start of the fourth, (notes,)."""
    bars = np.array([note.start / plan.beats_per_bar - plan.section_at(note.start).bar for note in notes])
    place = bars % ARC_BARS / ARC_BARS
    return ARC * np.where(place < PEAK, place / PEAK, (1 - place) / (1 - PEAK)) - ARC / 2


def _bar_accents(plan: Plan, player: Player, notes: Sequence[Note]) -> npt.NDArray[np.float64]:
    """Return what this player stresses in every bar, one value for each half of a beat, (notes,).

    A band's beats differ, because each player leans on others of them. The first of the bar is never a weak one, and
    kick and snare keep the groove as it is written.
    """
    halves = 2 * plan.meter.beats_per_bar / plan.meter.felt_beat
    most = BAR_ACCENTS.get(player.role, 0.0)
    stress = plan.brief.rng("groove", "bar accents", player.name).uniform(-most, most, math.ceil(halves))
    stress[0] = abs(stress[0])
    places = [int(note.start % plan.beats_per_bar * 2 / plan.meter.felt_beat + 1e-6) % len(stress) for note in notes]
    steady = np.array([player.role == "drums" and note.pitch not in HATS for note in notes])
    return np.where(steady, 0.0, stress[places])


def _wave(plan: Plan, notes: Sequence[Note]) -> npt.NDArray[np.float64]:
    """Return a wave for the hats, over two beats and a little over four bars, (notes,)."""
    starts = np.array([note.start for note in notes])
    hats = np.array([note.pitch in HATS for note in notes])
    wave = 0.5 * np.cos(np.pi * starts) + 0.3 * ((starts / plan.beats_per_bar) % 4 / 4 - 0.5)
    return np.where(hats, wave, 0.0)


def _swells(notes: Sequence[Note]) -> npt.NDArray[np.float64]:
    """Return a rise to each phrase's highest note and a fall after it, −0.5 to 0.5, (notes,)."""
    shape = np.zeros(len(notes))
    for first, last in _phrases(notes):
        phrase = notes[first:last]
        peak = first + max(range(len(phrase)), key=lambda index: (phrase[index].pitch, phrase[index].length))
        for index in range(first, last):
            reach = (peak - first) if index <= peak else (last - 1 - peak)
            shape[index] = 0.5 - abs(index - peak) / max(reach, 1)
    return shape


def _phrases(notes: Sequence[Note]) -> list[tuple[int, int]]:
    cuts = [0]
    cuts += [i for i in range(1, len(notes)) if notes[i].start - notes[i - 1].end > PHRASE_REST]
    return list(zip(cuts, [*cuts[1:], len(notes)], strict=True))
