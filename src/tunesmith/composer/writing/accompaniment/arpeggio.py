"""Arpeggios: chord tones one by one, in a figure of one bar that is varied over four bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.accompaniment.chord_patterns import CHORD_PATTERNS
from tunesmith.composer.writing.accompaniment.chords import write_chords
from tunesmith.composer.writing.accompaniment.voiced_harmony import voiced_harmony
from tunesmith.composer.writing.form.endings import ended
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.step_patterns import CYCLE, CYCLE_BARS

Figure = tuple[int, ...]
FIGURES: tuple[tuple[Figure, Figure, Figure], ...] = (
    ((0, 1, 2, 3, 4, 3, 2, 1), (0, 1, 2, 4, 3, 4, 2, 3), (0, 2, 1, 3, 2, 4, 3, 5)),
    ((0, 2, 1, 3, 2, 4, 3, 2), (0, 2, 1, 3, 4, 3, 5, 4), (4, 3, 2, 3, 1, 2, 0, 1)),
    ((0, 2, 4, 2, 3, 1, 3, 4), (0, 2, 4, 5, 3, 4, 2, 1), (0, 1, 2, 3, 4, 5, 4, 2)),
    ((4, 3, 2, 1, 0, 1, 2, 3), (4, 3, 2, 3, 1, 2, 4, 5), (5, 4, 3, 2, 3, 1, 2, 0)),
    ((0, 4, 2, 4, 1, 4, 3, 4), (0, 4, 3, 4, 2, 4, 1, 3), (0, 3, 1, 4, 2, 5, 3, 4)),
    ((0, 1, 3, 1, 2, 4, 2, 3), (0, 1, 3, 4, 5, 4, 2, 3), (0, 3, 2, 4, 3, 5, 4, 1)),
    ((0, 1, 2, 3, 1, 2, 3, 4), (0, 1, 2, 4, 2, 3, 4, 5), (5, 4, 3, 4, 2, 3, 1, 2)),
    ((0, 3, 1, 2, 4, 3, 2, 1), (0, 3, 1, 4, 2, 3, 5, 4), (0, 1, 3, 2, 4, 3, 5, 2)),
)
"""Figures as indices into the chord tones, counted up through the octaves: A, A' and B of the cycle A A' A B."""
HOLDS: tuple[str, ...] = ("xxxxxxxx", "xxx-xxx-", "xxxxxx-x", "x-xxxx-x", "xxx-xx-x")
"""Rhythms of a figure: ``x`` a new note, ``-`` the note before held on; the seed draws one."""
# Timing spread of a genre from which a person plays, who does not strike every step, in ms.
HUMAN_MS = 3.0
# Section energy from which eighths become sixteenths.
FAST_FROM = 0.55
# Semitones above the register that a figure may climb; higher notes would ring out of the mix.
ABOVE_REGISTER = 14
# Notes per second.
FASTEST = 11.0
ACCENT_VELOCITY, PLAIN_VELOCITY = 86, 70


def write_arpeggio(plan: Plan, player: Player) -> tuple[Note, ...]:
    """Write broken chords: a cycle of figures for the whole piece, at double speed where energy and tempo allow."""
    if player.rhythm or (player.style in CHORD_PATTERNS and player.style != "arpeggio"):
        # The genre may give an arpeggio player a rhythm or a chord style, such as Travis picking.
        return write_chords(plan, player)
    harmony = voiced_harmony(plan, player)
    figures = plan.brief.choice("groove", "arpeggio", player.name, options=FIGURES)
    human = plan.genre.feel.timing_ms >= HUMAN_MS
    holds = plan.brief.choice("groove", "arpeggio rhythm", player.name, options=HOLDS) if human else HOLDS[0]
    high = min(instrument(player.instrument).high, player.register + ABOVE_REGISTER)
    notes: list[Note] = []
    for section in plan.active_sections(player):
        step = _step(plan, section.energy)
        for bar in range(section.bar, section.bar + section.bars):
            figure = figures[CYCLE[(bar - section.bar) % CYCLE_BARS]]
            start = bar * plan.beats_per_bar
            for index in range(round(plan.beats_per_bar / step)):
                beat = start + index * step
                span = harmony.at(beat)
                # Never held over a change of the voicing.
                if holds[index % len(holds)] == "-" and span.start < beat - 1e-6:
                    notes[-1] = replace(notes[-1], length=on_grid(notes[-1].length + step))
                    continue
                tones = _tones(span.pitches, high)
                pitch = tones[figure[index % len(figure)] % len(tones)]
                accent = index % len(figure) == 0
                notes.append(Note(on_grid(beat), on_grid(step), pitch, ACCENT_VELOCITY if accent else PLAIN_VELOCITY))
    return ended(plan, player, notes, harmony.final)


def _step(plan: Plan, energy: float) -> float:
    """Return the length of one note in beats."""
    base = 0.5
    second = plan.usual_quarters_per_minute / 60
    return base / 2 if energy >= FAST_FROM and second / (base / 2) <= FASTEST else base


def _tones(voiced: Sequence[int], high: int) -> tuple[int, ...]:
    """Return the chord tones and those an octave above, within the instrument's range."""
    upper = [pitch + 12 for pitch in voiced if pitch + 12 <= high and pitch + 12 > voiced[-1]]
    return (*voiced, *upper)
