"""Arpeggios: chord tones one by one, in a figure that keeps its shape while the chords change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.composer.instruments import instrument
from tunesmith.composer.rng import weighted_choice
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.chord_patterns import CHORD_PATTERNS
from tunesmith.composer.writing.accompaniment.chords import Voicer, write_chords
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.plan import Plan, Player

FIGURES: tuple[tuple[int, ...], ...] = (
    (0, 1, 2, 3), (0, 2, 1, 3), (0, 1, 2, 3, 4, 3, 2, 1), (0, 2, 4, 2, 3, 1), (4, 3, 2, 1, 0, 1, 2, 3),
    (0, 4, 2, 4, 1, 4, 2, 3), (0, 1, 3, 1, 2, 1),
)  # fmt: skip
"""Indices into the chord tones, counted up through the octaves."""
# Section energy from which eighths become sixteenths.
FAST_FROM = 0.55
# Notes per second.
FASTEST = 11.0


def write_arpeggio(plan: Plan, player: Player, random: np.random.Generator) -> tuple[Note, ...]:
    """Write broken chords: one figure for the whole piece, at double speed where energy and tempo allow."""
    if player.rhythm or (player.style in CHORD_PATTERNS and player.style != "arpeggio"):
        # The genre may give an arpeggio player a rhythm or a chord style, such as Travis picking.
        return write_chords(plan, player, random)
    voicer = Voicer(plan, player)
    figure = weighted_choice(random, FIGURES)
    high = instrument(player.instrument).high
    notes: list[Note] = []
    for section in plan.active_sections(player):
        start = section.bar * plan.beats_per_bar
        end = start + section.bars * plan.beats_per_bar
        step = _step(plan, section.energy, start)
        for span in plan.spans_between(start, end):
            tones = _tones(voicer(span.chord), high)
            for index in range(round(span.length / step)):
                beat = span.start + index * step
                # Counted from the section's start, so that the figure runs on over chord changes.
                place = round((beat - start) / step)
                pitch = tones[figure[place % len(figure)] % len(tones)]
                notes.append(Note(on_grid(beat), on_grid(step), pitch, 86 if place % len(figure) == 0 else 70))
    return ended(plan, player, notes, voicer(plan.chords[-1].chord))


def _step(plan: Plan, energy: float, beat: float) -> float:
    """Return the length of one note in beats."""
    base = 0.5
    # Measured on the tempo map at this place, because hits may bend the tempo.
    second = plan.tempo_map.beat_at(plan.tempo_map.seconds_at(beat) + 1.0) - beat
    return base / 2 if energy >= FAST_FROM and second / (base / 2) <= FASTEST else base


def _tones(voiced: Sequence[int], high: int) -> tuple[int, ...]:
    """Return the chord tones and those an octave above, within the instrument's range."""
    upper = [pitch + 12 for pitch in voiced if pitch + 12 <= high and pitch + 12 > voiced[-1]]
    return (*voiced, *upper)
