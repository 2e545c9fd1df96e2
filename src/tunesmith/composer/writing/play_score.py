"""Written score → parts as played: performance, transposition, and who is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Part
from tunesmith.composer.writing.balance import struck
from tunesmith.composer.writing.score_writer import play_part, within
from tunesmith.composer.writing.transposition import moved_on
from tunesmith.composer.writing.written_score import WrittenPart, WrittenScore, interpreted


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
    plan, player = written.plan, part.player
    if part.interpretation is None:
        notes = within(part.notes, plan.tempo_map.beat_at(written.duration))
        played = Part(
            player.name, player.role, player.instrument, notes, round(player.gain_db, 2), player.pan, player.entry
        )
    else:
        played = play_part(interpreted(plan, part.interpretation), written.duration, player, part.notes)
    tool = instrument(player.instrument)
    # The octave is asked for by itself, so that it is not folded back with the transposition.
    loud = struck(played.notes, part.levels, plan.bars, plan.beats_per_bar)
    notes = moved_on(tool, loud, written.transpose + part.transpose)
    return replace(played, name=part.title, notes=moved_on(tool, notes, 12 * part.octave))
