"""A given melody stays note for note, and the composer's parts follow its harmony."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tunesmith.composer.composition import Composition, arrange
from tunesmith.composer.midi_in.song import MidiVoice, Song
from tunesmith.composer.score import Note, TempoMap
from tunesmith.composer.score_file import dump_score, load_document
from tunesmith.composer.theory import Meter
from tunesmith.errors import InvalidRequest
from tunesmith.request import GenerationRequest

# Ah! vous dirai-je, maman: first and last line.
TUNE = [(60, 1), (60, 1), (67, 1), (67, 1), (69, 1), (69, 1), (67, 2), (65, 1), (65, 1), (64, 1), (64, 1), (62, 1),
        (62, 1), (60, 2)] * 2  # fmt: skip
STARTS = [sum(length for _, length in TUNE[:index]) for index in range(len(TUNE))]
MELODY = tuple(Note(start, length, pitch, 80) for start, (pitch, length) in zip(STARTS, TUNE, strict=True))
SONG = Song("Tune", (MidiVoice("tune", 0, 73, MELODY),), TempoMap(((0.0, 100.0),)), Meter(4, 4), None, True)


def arranged(song: Song = SONG, **fields: Any) -> Composition:
    return arrange(song, GenerationRequest.checked(prompt="lofi", genre="lofi", seed=2, **fields))


def test_the_melody_stays_in_time_and_the_band_plays_its_chords() -> None:
    piece = arranged()
    lead = next(part for part in piece.score.parts if part.role == "melody")
    assert [note.start for note in lead.notes] == STARTS
    assert len({note.pitch - old.pitch for note, old in zip(lead.notes, MELODY, strict=True)}) == 1
    assert (lead.notes[0].pitch - 60) % 12 == 0
    assert [str(span.chord) for span in piece.score.chords if span.start < 16] == ["C", "F", "C", "F", "C", "G", "C"]
    assert {"drums", "bass"} <= {part.role for part in piece.score.parts}
    assert (str(piece.score.key), piece.score.tempo_bpm) == ("C major", 100.0)


def test_the_arrangement_is_a_document_that_can_be_changed() -> None:
    piece = arranged()
    loaded = load_document(dump_score(piece.score, piece.written))
    assert loaded.score == piece.score
    changed = load_document(dump_score(piece.score, piece.written).replace("  6: 1 F 2, 3 C 2", "  6: 1 Dm7 4", 1))
    before, after = ({part.name: part.notes for part in score.parts} for score in (piece.score, changed.score))
    assert after["melody"] == before["melody"]
    assert after["bass"] != before["bass"]


def test_key_and_tempo_of_the_request_move_the_song() -> None:
    piece = arranged(key="E major", tempo_bpm=70)
    lead = next(part for part in piece.score.parts if part.role == "melody")
    assert {(note.pitch - old.pitch) % 12 for note, old in zip(lead.notes, MELODY, strict=True)} == {4}
    assert piece.score.tempo_bpm == 70
    assert piece.score.chords[0].chord.root == 4


def test_chords_alone_get_a_melody_of_the_composer_s() -> None:
    triads = tuple(
        Note(bar * 4.0, 4.0, root + step, 70) for bar, root in enumerate((57, 53, 60, 55)) for step in (0, 4, 7)
    )
    song = dataclasses.replace(SONG, voices=(MidiVoice("pad", 0, 88, triads),))
    roots = [span.chord.root for span in arranged(song).score.chords if span.start % 4 == 0][:4]
    assert roots == [9, 5, 0, 7]


@pytest.mark.parametrize("field", ["duration", "bars", "meter"])
def test_what_the_notes_decide_cannot_be_asked_for(field: str) -> None:
    value: Any = "3/4" if field == "meter" else 20
    with pytest.raises(InvalidRequest, match=f"{field}: is decided by the notes"):
        arranged(**{field: value})


def test_drums_alone_cannot_be_arranged() -> None:
    drums = dataclasses.replace(SONG, voices=(MidiVoice("kit", 9, 0, MELODY),))
    with pytest.raises(InvalidRequest, match="has only drums"):
        arranged(drums)
