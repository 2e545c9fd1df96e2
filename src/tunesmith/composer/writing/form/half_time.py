"""Half time: in the contrast of a long piece, the backbeat falls once a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.rng import chance_of
from tunesmith.composer.score import Note
from tunesmith.composer.theory import Meter
from tunesmith.composer.writing.plan import Plan, Player

HALVING = frozenset({"rock", "pop", "electronic", "hip_hop", "dance", "soul"})
"""Genre families in which a section may go into half time."""
HALVED = frozenset({"C", "D"})
CHANCE = 0.4
BACKBEAT = frozenset(DRUM_KEYS[name] for name in ("snare", "clap", "rim"))
# In beats of a bar of 4/4.
THIRD_BEAT = 2.0


def half_timed(plan: Plan, player: Player, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Return drums whose contrasting sections, in 4/4, have one backbeat a bar on the third beat and no kick on it."""
    halves = plan.genre.family in HALVING and plan.meter == Meter(4, 4) and player.role == "drums"
    if not halves or not chance_of(plan.brief.rng("groove", "half time"), CHANCE):
        return tuple(notes)
    spans = [plan.span_of(section) for section in plan.sections if section.name in HALVED]
    kept: list[Note] = []
    for note in notes:
        inside = any(start - 1e-6 <= note.start < end - 1e-6 for start, end in spans)
        at = note.start % plan.beats_per_bar
        if inside and note.pitch in BACKBEAT:
            # The stroke of the second beat moves onto the third; the others fall silent.
            if abs(at - 1.0) < 1e-6:
                kept.append(replace(note, start=note.start + THIRD_BEAT - at))
        elif not inside or note.pitch != DRUM_KEYS["kick"] or abs(at - THIRD_BEAT) > 1e-6:
            kept.append(note)
    return tuple(sorted(kept, key=lambda note: (note.start, note.pitch)))
