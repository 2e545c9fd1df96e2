"""Performance: written notes become played ones, with swing, timing, dynamics, articulation, strums and rolls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note
from tunesmith.composer.theory import TICKS_PER_BEAT, on_grid
from tunesmith.composer.writing.melody.idioms import idiom_of
from tunesmith.composer.writing.performance.chord_notes import chords_in
from tunesmith.composer.writing.performance.dynamics import velocities
from tunesmith.composer.writing.performance.overlaps import without_overlaps
from tunesmith.composer.writing.performance.swing import swung
from tunesmith.composer.writing.performance.timing import offsets
from tunesmith.composer.writing.plan import Plan, Player

# In beats.
SHORTEST = 1 / 32
STRUMMED = frozenset({"guitar", "plucked"})
STRUMMING = frozenset({"strum", "travis", "rolled", "block", "comp", "bossa", "funk16", "skank", "offbeat", "pulse"})
# Styles in which the hand goes down on every eighth and up between them.
FAST_STRUMMING = frozenset({"funk16"})
ROLLED = frozenset({"rolled"})
# The whole chord, spread evenly over its strings.
STRUM_MS = (12.0, 30.0)
ROLL_MS = (45.0, 110.0)
# Fingers of a pianist never land at quite the same time.
FINGERS_MS = (4.0, 14.0)
# Timing spread of a genre from which keyboards are played by people, in ms.
HUMAN_MS = 5.0
UNTOUCHED = frozenset({"effects", "drone"})
LEGATO_OF: Mapping[str, float] = {
    "melody": 1.0,
    "counter": 1.05,
    "pad": 1.0,
    "chords": 1.0,
    "bass": 1.0,
    "arpeggio": 1.0,
}


def perform(plan: Plan, player: Player, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Return the notes as played: as many, on the 1/960 grid, sorted, within the piece; the same pitches in order.

    Monophonic instruments stay monophonic. Effects and drones stay as written.
    """
    if player.role in UNTOUCHED or not notes:
        return tuple(notes)
    ordered = sorted(notes, key=lambda note: (note.start, note.pitch))
    late = offsets(plan, player, ordered) + _spreads(plan, player, ordered)
    loud = velocities(plan, player, ordered)
    swing, unit, end, touch = _swing(plan), plan.genre.feel.swing_unit, plan.end, _touch(plan, player)
    # In beats at the genre's usual tempo: another tempo keeps the beat of every note.
    shifts = late * plan.usual_quarters_per_minute / 60
    played = []
    for note, shift, velocity in zip(ordered, shifts.tolist(), loud.tolist(), strict=True):
        written = swung(note.start, swing, unit)
        # Never before the piece or in its last moment.
        start = on_grid(min(max(written + shift, 0.0), end - SHORTEST))
        # The length is swung too, so that short notes before and after the swung one stay connected.
        length = _length(note, swung(note.end, swing, unit) - written, end - start, touch)
        played.append(Note(start, length, note.pitch, velocity, note.glide))
    return without_overlaps(played, mono=instrument(player.instrument).polyphony == 1)


def _swing(plan: Plan) -> float:
    """Return the place of the second note of a pair; compound meters already divide in three."""
    return 0.5 if plan.meter.is_compound else plan.genre.feel.swing


def _touch(plan: Plan, player: Player) -> float:
    """Return the share of a note's length that sounds."""
    if player.role in ("drums", "percussion"):
        return 1.0
    legato = plan.genre.feel.legato * idiom_of(player.instrument).legato
    return max(legato, 0.98) if player.role == "pad" else legato * LEGATO_OF.get(player.role, 1.0)


def _length(note: Note, written: float, left: float, touch: float) -> float:
    """Return how long a note of ``written`` beats sounds, where ``left`` beats are left of the piece."""
    share = touch if note.length < 2 else max(touch, 0.95)
    return max(1 / TICKS_PER_BEAT, on_grid(min(max(written * share, SHORTEST), left)))


def _spreads(plan: Plan, player: Player, notes: Sequence[Note]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the seconds by which each note follows the first string of its chord, (notes,), in alternating strokes."""
    late = np.zeros(len(notes))
    reach = _reach_ms(plan, player)
    if reach is None:
        return late
    draws = plan.section_draws(player, "spreads")
    for chord in chords_in(notes):
        size = chord.stop - chord.start
        whole = draws(notes[chord.start].start).uniform(*reach) / 1000 * min(1.0, size / 4)
        # Rolls and hands on keys always go from the lowest note to the highest.
        upstroke = reach is STRUM_MS and _is_upstroke(player, notes[chord.start].start)
        order = np.arange(size)[::-1] if upstroke else np.arange(size)
        late[chord] = whole * order / max(size - 1, 1)
    return late


def _is_upstroke(player: Player, beat: float) -> bool:
    """Return whether a strumming hand, which goes down on each eighth or each beat, comes up at ``beat``."""
    strokes_per_beat = 4 if player.style in FAST_STRUMMING else 2
    stroke = beat * strokes_per_beat
    # Between two strokes, the hand comes up as well.
    return round(stroke) % 2 == 1 or abs(stroke - round(stroke)) > 0.1


def _reach_ms(plan: Plan, player: Player) -> tuple[float, float] | None:
    if plan.genre.feel.timing_ms == 0 or player.role not in ("chords", "pad", "arpeggio", "melody"):
        return None
    family = instrument(player.instrument).family
    if player.style in ROLLED and family in ("keys", "plucked", "mallets"):
        return ROLL_MS
    if family == "keys" and player.role == "chords" and plan.genre.feel.timing_ms >= HUMAN_MS:
        return FINGERS_MS
    if family in STRUMMED and (player.style in STRUMMING or player.style == ""):
        return STRUM_MS
    return None
