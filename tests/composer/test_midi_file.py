"""The MIDI file holds exactly the score's notes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import mido
from budgets import SCORES
from hypothesis import given
from pieces import scores, small_score

from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.score import Note, Score
from tunesmith.composer.theory import TICKS_PER_BEAT


def read_midi(path: Path) -> dict[str, list[Note]]:
    """Return the notes of each named track, by start and pitch; glides are not read back."""
    file = mido.MidiFile(path, charset="utf-8")
    return {track.name: sorted(notes_of(track), key=lambda note: (note.start, note.pitch)) for track in file.tracks[1:]}


def notes_of(track: mido.MidiTrack) -> Iterator[Note]:
    sounding: dict[int, list[tuple[int, int]]] = {}
    now = 0
    for message in track:
        now += message.time
        if message.type == "note_on":
            sounding.setdefault(message.note, []).append((now, message.velocity))
        elif message.type == "note_off":
            # Overlapping notes of one pitch end in the order in which they began.
            start, velocity = sounding[message.note].pop(0)
            yield Note(start / TICKS_PER_BEAT, (now - start) / TICKS_PER_BEAT, message.note, velocity)


def without_glide(notes: tuple[Note, ...]) -> list[Note]:
    return sorted(
        (Note(note.start, note.length, note.pitch, note.velocity) for note in notes),
        key=lambda note: (note.start, note.pitch),
    )


@SCORES
@given(scores())
def test_every_note_comes_back_to_the_tick(score: Score) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "piece.mid")
        write_midi(score, path)
        tracks = read_midi(path)
    assert tracks == {part.name: without_glide(part.notes) for part in score.parts}


def test_other_programs_find_tempo_meter_key_and_programs(tmp_path: Path) -> None:
    path = tmp_path / "piece.mid"
    write_midi(small_score(), path)
    messages = [message for track in mido.MidiFile(path).tracks for message in track]
    by_type = {message.type: message for message in messages}
    assert round(mido.tempo2bpm(by_type["set_tempo"].tempo), 3) == 90
    assert (by_type["time_signature"].numerator, by_type["time_signature"].denominator) == (4, 4)
    assert by_type["key_signature"].key == "Am"
    assert {message.channel for message in messages if message.type == "note_on"} == {0, 9}
    assert next(message.program for message in messages if message.type == "program_change") == 73
