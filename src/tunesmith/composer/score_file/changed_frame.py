"""The chords and the length of a document whose key, meter, tempo or sections are no longer those of its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunesmith.composer.score import ChordSpan, TempoMap
from tunesmith.composer.score_file.document import ScorePosition
from tunesmith.composer.score_file.form import Form, bars_of, carried
from tunesmith.composer.score_file.frame import Grid, ScoreFrame, read_chords, read_tempo_map
from tunesmith.composer.score_file.record import Record
from tunesmith.composer.theory import Key, on_grid
from tunesmith.composer.writing.transposition import in_mode
from tunesmith.errors import InvalidScore
from tunesmith.request import MAX_DURATION_SECONDS

ENDING_SECONDS = 2.0
"""How long the last notes ring where the document gives no duration."""


def chords_of(
    place: ScorePosition | None, grid: Grid, form: Form, key: Key, record: Record | None
) -> tuple[ChordSpan, ...]:
    """Return the chords as they sound: moved with the sections, and those of the record with key and meter.

    Raises InvalidScore.
    """
    if place is None:
        return ()
    chords = _in_meter(place, grid, record)
    if record is not None and record.frame.key != key:
        known = frozenset(_in_beats(record.frame.chords, record.frame, grid))
        chords = tuple(
            replace(span, chord=in_mode(span.chord, record.frame.key, key)) if span in known else span
            for span in chords
        )
    return carried(chords, form, grid.beats_per_bar)


def _in_meter(place: ScorePosition, grid: Grid, record: Record | None) -> tuple[ChordSpan, ...]:
    """Return the chords of the document; those of another meter's record are fitted into the new bars."""
    if record is None or record.frame.meter.beats_per_bar == grid.beats_per_bar:
        return read_chords(place, grid)
    try:
        written = read_chords(place, replace(grid, beats_per_bar=record.frame.meter.beats_per_bar))
    except InvalidScore:
        written = ()
    if written and written == record.frame.chords:
        return _in_beats(written, record.frame, grid)
    # A person has written them for the new meter.
    return read_chords(place, grid)


def tempo_of(place: ScorePosition, grid: Grid, record: Record | None) -> TempoMap:
    """Return the tempo map of the document; that of another meter's record is fitted into the new bars.

    Raises InvalidScore.
    """
    if record is None or place.is_single or record.frame.meter.beats_per_bar == grid.beats_per_bar:
        return read_tempo_map(place, grid)
    old, new = record.frame.meter.beats_per_bar, grid.beats_per_bar
    try:
        written = read_tempo_map(place, replace(grid, beats_per_bar=old))
    except InvalidScore:
        return read_tempo_map(place, grid)
    if written != record.frame.tempo_map:
        return read_tempo_map(place, grid)
    return TempoMap(tuple((on_grid(beat * new / old), bpm) for beat, bpm in written.changes))


def at_tempo(record: Record | None, tempo_map: TempoMap, grid: Grid) -> Record | None:
    """Return the record at the tempo of the document: another tempo is no reason to write a note anew."""
    if record is None or record.frame.meter.beats_per_bar != grid.beats_per_bar:
        return record
    old = record.frame
    duration = tempo_map.seconds_at(old.tempo_map.beat_at(old.duration))
    return (
        record
        if old.tempo_map == tempo_map
        else replace(record, frame=replace(old, tempo_map=tempo_map, duration=duration))
    )


def _in_beats(chords: Sequence[ChordSpan], frame: ScoreFrame, grid: Grid) -> tuple[ChordSpan, ...]:
    """Return the chords of a frame in bars of another length; a chord within a bar starts at the nearest half beat."""
    old, new = frame.meter.beats_per_bar, grid.beats_per_bar
    if old == new:
        return tuple(chords)
    starts = [_start(span.start, old, new) for span in chords]
    ends = [*starts[1:], grid.bars * new]
    spans = [
        replace(span, start=start, length=on_grid(end - start))
        for span, start, end in zip(chords, starts, ends, strict=True)
        if end > start
    ]
    return tuple(spans)


def _start(beat: float, old: float, new: float) -> float:
    bar, inside = divmod(beat + 1e-9, old)
    return on_grid(bar * new + min(round(inside * new / old * 2) / 2, new - 0.5))


def duration_of(
    fields: Mapping[str, ScorePosition], tempo_map: TempoMap, end: float, record: Record | None, *, loop: bool
) -> float:
    """Return the length of the piece in seconds, whose bars end at beat ``end``; raise InvalidScore."""
    written = tempo_map.seconds_at(end)
    if "duration" in fields:
        duration = fields["duration"].number(0.1, MAX_DURATION_SECONDS)
        if record is None or duration != record.frame.duration:
            # A loop that is longer or shorter than its bars would not connect.
            if loop and abs(duration - written) > 0.01:
                raise fields["duration"].mistake(f"a loop lasts exactly its bars, {written:.3f} s, got {duration:g} s")
            return duration
        old = record.frame
        old_end = bars_of(old.sections) * old.meter.beats_per_bar
        if old.tempo_map == tempo_map and old_end == end:
            return duration
        # Changed bars or tempo change the length; the last chord rings for as many beats as before.
        rest = old.tempo_map.beat_at(duration) - old_end
        duration = written if loop else tempo_map.seconds_at(end + rest)
    else:
        # A piece that ends needs room for its last notes to ring; a loop has none.
        duration = written if loop else written + ENDING_SECONDS
    if duration > MAX_DURATION_SECONDS:
        raise fields["sections"].mistake(f"the piece lasts {duration:.0f} s; the limit is {MAX_DURATION_SECONDS:g} s")
    return duration
