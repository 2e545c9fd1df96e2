"""The settling of a document: what its parts follow has changed, so they are written anew where it concerns them.

record ─► plan as it was ─► W0 ┐
                               ├─ bars in which W1 differs from W0 are taken from W1; the others stay
document ─► plan as it is ─► W1 ┘
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tunesmith.composer.score import Note
from tunesmith.composer.score_file.form import Form, bars_of, carried
from tunesmith.composer.score_file.frame import ScoreFrame
from tunesmith.composer.score_file.notation import by_bar
from tunesmith.composer.score_file.plans import WritingBrief, plan_of
from tunesmith.composer.score_file.record import Record, digest
from tunesmith.composer.theory import TICKS_PER_BEAT
from tunesmith.composer.writing.plan import Plan, Player
from tunesmith.composer.writing.score_writer import write_part, writing_order
from tunesmith.composer.writing.transposition import moved_chords, moved_key, moved_notes, shift_between

MOST_BARS_NAMED = 8


@dataclass(frozen=True, slots=True)
class Line:
    """The notes of a player in the document's bars, None where the composer is to write them, and what they follow."""

    player: Player
    follow: str
    notes: tuple[Note, ...] | None
    mute: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """The plan of the piece, the notes by player, and one warning for each part that keeps bars a person wrote."""

    plan: Plan
    notes: Mapping[str, tuple[Note, ...]]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planning:
    """What a document says apart from its parts: what they are written for, in which form, and its ``record``."""

    brief: WritingBrief
    frame: ScoreFrame
    form: Form
    record: Record | None


def settled(document: Planning, lines: Sequence[Line]) -> Settled:
    """Return the notes of every line for the frame; those that follow nothing, or nothing that changed, stay."""
    brief, frame = document.brief, document.frame
    players = tuple(line.player for line in lines)
    heard = [line.player for line in lines if not line.mute]
    plan = plan_of(brief, frame, players, heard)
    lines, record = _in_key(lines, document.record, frame)
    before = None if record is None else plan_of(brief, record.frame, players, heard)
    writer = _Settler(plan, before, document.form, record, {line.player.name: line for line in lines})
    for player in writing_order(players):
        writer.settle(writer.lines[player.name])
    return Settled(plan, writer.now, tuple(writer.warnings))


def _in_key(lines: Sequence[Line], record: Record | None, frame: ScoreFrame) -> tuple[Sequence[Line], Record | None]:
    """Move what was written to another key of the same mode: nothing has to be written anew for it."""
    if record is None or record.frame.key == frame.key or record.frame.key.mode != frame.key.mode:
        return lines, record
    shift = shift_between(record.frame.key, frame.key)
    old = record.frame
    moved = replace(old, key=moved_key(old.key, shift), chords=moved_chords(old.chords, shift))
    digests = dict(record.digests)
    result = []
    for line in lines:
        if line.follow == "fixed" or line.notes is None:
            result.append(line)
            continue
        notes = moved_notes(line.player, line.notes, shift)
        if record.is_untouched(line.player.name, line.notes):
            digests[line.player.name] = digest(notes)
        result.append(replace(line, notes=notes))
    return result, replace(record, frame=moved, digests=digests)


class _Settler:
    """The work of settling: the notes as they were (``old``) and as they are (``now``), by player."""

    def __init__(
        self, plan: Plan, before: Plan | None, form: Form, record: Record | None, lines: Mapping[str, Line]
    ) -> None:
        self.plan, self.before, self.form, self.record, self.lines = plan, before, form, record, lines
        self.old: dict[str, tuple[Note, ...]] = {}
        self.now: dict[str, tuple[Note, ...]] = {}
        self.warnings: list[str] = []
        self._same_frame = before is not None and _frame_of(plan) == _frame_of(before) and form.is_as_numbered
        self._same_melody = all(
            record is not None and line.notes is not None and record.is_untouched(name, line.notes)
            for name, line in lines.items()
            if line.player.role == "melody"
        )

    def settle(self, line: Line) -> None:
        """Add the notes of one line; the players before it in the order of writing are there already."""
        name = line.player.name
        beats = self.plan.beats_per_bar
        if line.notes is not None and (line.follow == "fixed" or self._stays(line)):
            self.old[name] = line.notes
            self.now[name] = carried(line.notes, self.form, beats)
            return
        written = write_part(self.plan, line.player, self.now)
        if self.before is None or self.record is None:
            self.old[name] = self.now[name] = written
            return
        as_it_was = write_part(self.before, line.player, self.old)
        if line.notes is None:
            self.old[name], self.now[name] = as_it_was, written
            return
        known = self.record.is_untouched(name, line.notes)
        self.old[name] = line.notes if known else as_it_was
        if self.before.meter != self.plan.meter:
            self.now[name] = written
            return
        bars = _Bars(line.notes, as_it_was, written, beats)
        self.now[name], kept = bars.merged(self.form, bars_of(self.before.sections), known=known)
        if kept:
            self.warnings.append(_kept_warning(name, kept))

    def _stays(self, line: Line) -> bool:
        return self._same_frame and (line.follow != "melody" or self._same_melody)


@dataclass(frozen=True, slots=True)
class _Bars:
    """The notes of the document, as the composer wrote them for what was, and as for what is."""

    notes: tuple[Note, ...]
    before: tuple[Note, ...]
    after: tuple[Note, ...]
    beats: float

    def merged(self, form: Form, recorded: int, *, known: bool) -> tuple[tuple[Note, ...], list[int]]:
        """Return the notes bar by bar, and the numbers, from 1, of the bars that stay because a person wrote them."""
        own, old, new = (by_bar(notes, self.beats) for notes in (self.notes, self.before, self.after))
        placed = by_bar(carried(self.notes, form, self.beats), self.beats)
        merged: list[Note] = []
        kept: list[int] = []
        for bar, origin in enumerate((number + 1 for number in form.origin), start=1):
            written, was, mine = (
                _relative(new, bar, self.beats),
                _relative(old, origin, self.beats),
                _relative(own, origin, self.beats),
            )
            if origin > recorded:
                stays = bool(mine)
            elif written == was:
                stays = True
            else:
                stays = not known and mine != was
                kept += [bar] if stays else []
            merged += placed.get(bar, ()) if stays else new.get(bar, ())
        return tuple(merged), kept


def _relative(bars: Mapping[int, Sequence[Note]], bar: int, beats: float) -> list[tuple[int, float, int, int, int]]:
    """Return the notes of a bar, from 1, with their starts in ticks from its beginning."""
    start = (bar - 1) * beats
    return [
        (round((note.start - start) * TICKS_PER_BEAT), note.length, note.pitch, note.velocity, note.glide)
        for note in bars.get(bar, ())
    ]


def _frame_of(plan: Plan) -> tuple[object, ...]:
    brief = plan.brief
    # The gain of a section is the mix's: no note depends on it.
    sections = tuple(replace(one, gain_db=0.0) for one in plan.sections)
    return (plan.key, plan.meter, plan.tempo_map, sections, plan.chords, brief.seed, brief.duration)


def _kept_warning(name: str, bars: Sequence[int]) -> str:
    shown = ", ".join(map(str, bars[:MOST_BARS_NAMED])) + (" …" if len(bars) > MOST_BARS_NAMED else "")
    which = f"bar {shown} was" if len(bars) == 1 else f"bars {shown} were"
    return f"part {name}: {which} changed by hand, and stay{'s' if len(bars) == 1 else ''} so"
