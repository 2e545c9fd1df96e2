"""The parts of a document as they are played: written out by a person, or by the composer's writers."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import Note, Part
from tunesmith.composer.score_file.form import Form, carried
from tunesmith.composer.score_file.frame import Grid
from tunesmith.composer.score_file.part_entry import PartEntry
from tunesmith.composer.score_file.plans import described_player, styles_of
from tunesmith.composer.score_file.settle import Line, Planning, settled
from tunesmith.composer.writing.balance import struck
from tunesmith.composer.writing.play_score import heard, played_parts
from tunesmith.composer.writing.transposition import moved_on
from tunesmith.composer.writing.written_score import AS_WRITTEN, Interpretation, WrittenPart, WrittenScore
from tunesmith.suggestions import did_you_mean


def plain(entries: Sequence[PartEntry], grid: Grid, form: Form, transpose: int) -> tuple[Part, ...]:
    """Return the parts exactly as a person wrote them; raise InvalidScore."""
    # All notes are read, so that a mistake in a muted part is found too.
    notes = {entry.name: carried(entry.read_notes(grid), form, grid.beats_per_bar) for entry in entries}
    return tuple(
        _plain_part(entry, notes[entry.name], transpose, len(form.origin), grid.beats_per_bar)
        for entry in heard(entries)
    )


def _plain_part(entry: PartEntry, notes: Sequence[Note], transpose: int, bars: int, beats: float) -> Part:
    tool = instrument(entry.instrument)
    notes = struck(notes, entry.levels, bars, beats)
    moved = moved_on(tool, notes, transpose + int(entry.number("transpose")))
    return Part(
        name=entry.name,
        role=entry.role,
        instrument=entry.instrument,
        notes=moved_on(tool, moved, 12 * int(entry.number("octave"))),
        gain_db=entry.number("gain_db"),
        pan=entry.number("pan"),
        entry=entry.number("entry"),
    )


def planned(
    document: Planning, entries: Sequence[PartEntry], how: Interpretation | None, transpose: int
) -> tuple[tuple[Part, ...], WrittenScore, tuple[str, ...]]:
    """Return the parts as the composer's writers and players make them, their written score, and warnings.

    Raises InvalidScore.
    """
    lines: list[Line] = []
    for index, entry in enumerate(entries):
        line = _line(entry, document, index)
        lines.append(_apart(line, {other.player.name for other in lines}))
    found = settled(document, lines)
    parts = tuple(
        WrittenPart(
            player=line.player,
            notes=found.notes[line.player.name],
            follow=line.follow,
            name=entry.name,
            interpretation=interpretation_of(entry, how),
            transpose=int(entry.number("transpose")),
            octave=int(entry.number("octave")),
            levels=entry.levels,
            mute=entry.mute,
            solo=entry.solo,
        )
        for entry, line in zip(entries, lines, strict=True)
    )
    written = WrittenScore(found.plan, document.frame.duration, parts, transpose)
    return played_parts(written), written, found.warnings


def _line(entry: PartEntry, document: Planning, index: int) -> Line:
    genre, record = document.brief.genre, document.record
    player = described_player(entry, genre, document.frame.seed, index)
    styles = styles_of(entry.role, genre)
    if entry.follow != "fixed" and player.style and styles and player.style not in styles:
        hint = did_you_mean(player.style, styles) or f"; it can be {', '.join(styles[:12])}"
        raise entry.place.mistake(f"style cannot be {player.style!r} in {genre.title}{hint}")
    if entry.notes is None:
        return Line(player, entry.follow, None, entry.mute)
    if record is None and entry.follow != "fixed":
        raise entry.notes.mistake("a part that follows is written by the composer; leave out 'notes' or 'follow'")
    # Notes that are written anew for another meter are still in the bars of the old one.
    meter = record.frame.meter if record is not None and entry.follow != "fixed" else document.frame.meter
    return Line(player, entry.follow, entry.read_notes(Grid(document.form.bars, meter.beats_per_bar)), entry.mute)


def _apart(line: Line, taken: Container[str]) -> Line:
    """Return the line with a player's name of its own: a part that was copied draws for itself."""
    name, number = line.player.name, 1
    while name in taken:
        number += 1
        name = f"{line.player.name}_{number}"
    return replace(line, player=replace(line.player, name=name))


def interpretation_of(entry: PartEntry, how: Interpretation | None) -> Interpretation | None:
    """Return how a part is played: as it says itself, as the document does, or as usual for one that follows.

    None plays the notes exactly as written.
    """
    usual = how or (Interpretation() if entry.follow != "fixed" else AS_WRITTEN)
    own = Interpretation(entry.number("groove", usual.groove), entry.number("humanize", usual.humanize))
    return None if own == AS_WRITTEN else own
