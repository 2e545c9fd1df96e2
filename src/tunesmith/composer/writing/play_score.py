"""Written score → parts as played: performance, levels, transposition, and who is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Part
from tunesmith.composer.theory import on_grid
from tunesmith.composer.writing.balance import struck
from tunesmith.composer.writing.form.climax import with_climax_dynamics
from tunesmith.composer.writing.form.endings import ending_of, faded, stopped
from tunesmith.composer.writing.performance.echo import echoed
from tunesmith.composer.writing.performance.perform import perform
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.transposition import moved_on
from tunesmith.composer.writing.written_score import WrittenPart, WrittenScore, interpreted

STOPPING = frozenset({"melody", "counter", "chords", "pad", "arpeggio", "bass"})
"""Roles that stop together on a final hit; drums, drones and effects decay by themselves."""
# In beats; notes cut shorter at the end are left out.
SHORTEST = 1 / 64


class Silenceable(Protocol):
    """What can be muted or played solo."""

    @property
    def mute(self) -> bool:
        """Whether it is silent."""
        ...

    @property
    def solo(self) -> bool:
        """Whether only it, and others like it, sound."""
        ...


P = TypeVar("P", bound=Silenceable)


def played_parts(written: WrittenScore) -> tuple[Part, ...]:
    """Return the parts that are heard, as they are played; a part without notes is left out."""
    parts = tuple(_played(written, part) for part in heard(written.parts))
    return tuple(part for part in parts if part.notes)


def heard(parts: Sequence[P]) -> list[P]:
    """Return the parts that are not muted, or the solo ones where there are any."""
    alone = any(part.solo for part in parts)
    return [part for part in parts if not part.mute and (part.solo or not alone)]


def _played(written: WrittenScore, part: WrittenPart) -> Part:
    plan, player, how = written.plan, part.player, part.interpretation
    notes = part.notes if how is None else _performed(interpreted(plan, how), player, part.notes)
    played = Part(
        name=part.title,
        role=player.role,
        instrument=player.instrument,
        notes=_within(notes, plan.tempo_map.beat_at(written.duration)),
        # As many digits as the document keeps.
        gain_db=round(player.gain_db, 2),
        pan=player.pan,
        entry=player.entry,
    )
    if how is not None:
        played = with_climax_dynamics(plan, played)
    tool = instrument(player.instrument)
    # The octave is asked for by itself, so that it is not folded back with the transposition.
    loud = struck(played.notes, part.levels, plan.bars, plan.beats_per_bar)
    moved = moved_on(tool, loud, written.transpose + part.transpose)
    return replace(played, notes=moved_on(tool, moved, 12 * part.octave))


def _performed(plan: Plan, player: Player, notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Return a player's notes as performed, with their echo and the ending of the piece."""
    # The plan of the performance sees only this player's notes.
    plan = replace(plan, written={player.name: notes})
    played = echoed(plan, player, perform(plan, player, notes))
    if not plan.brief.loop and ending_of(plan) == "fade":
        played = faded(plan, played)
    if not plan.brief.loop and ending_of(plan) == "hit" and player.role in STOPPING:
        played = stopped(plan, played)
    return played


def _within(notes: Sequence[Note], end: float) -> tuple[Note, ...]:
    """Leave out or shorten the notes that would sound past the end of the piece."""
    # Cut to the grid, so that every length is exact in the document too.
    grid_end = int(end * 960) / 960
    return tuple(
        note if note.end <= grid_end else replace(note, length=on_grid(grid_end - note.start))
        for note in notes
        if note.start <= grid_end - SHORTEST
    )
