"""A MIDI file is read to the last note; whatever is wrong with it is one clear line."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import mido
import pytest

import tunesmith
from tunesmith.composer.midi_file import write_midi
from tunesmith.composer.midi_in import midi_score, read_song
from tunesmith.composer.score_file import dump_score, load_score
from tunesmith.errors import InvalidRequest

COMPOSED = tunesmith.compose("pop song", genre="pop", duration=20, seed=1).score
BEATS = COMPOSED.meter.beats_per_bar


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    write_midi(COMPOSED, path)
    return path.read_bytes()


def midi(*messages: mido.Message | mido.MetaMessage, ticks: int = 480, path: Path) -> bytes:
    file = mido.MidiFile(ticks_per_beat=ticks)
    file.tracks.append(mido.MidiTrack(messages))
    file.save(path)
    return path.read_bytes()


def raw(track: bytes, *, form: int = 0, division: int = 480, length: int | None = None) -> bytes:
    """Return a file with the given bytes as its one track."""
    size = len(track) if length is None else length
    return b"MThd" + struct.pack(">IHHh", 6, form, 1, division) + b"MTrk" + struct.pack(">I", size) + track


def test_what_the_composer_writes_as_midi_comes_back(content: bytes) -> None:
    song = read_song(content)
    assert [voice.name for voice in song.voices] == [part.name for part in COMPOSED.parts]
    for voice, part in zip(song.voices, COMPOSED.parts, strict=True):
        written = sorted((n.start, n.pitch, n.velocity) for n in part.notes)
        assert [(note.start, note.pitch, note.velocity) for note in voice.notes] == written
    assert (song.meter, song.tempo_map) == (COMPOSED.meter, COMPOSED.tempo_map)
    score = midi_score(song, "a")
    assert score.title == COMPOSED.title
    assert load_score(dump_score(score)) == score


def test_chords_are_found_in_the_notes(content: bytes) -> None:
    found = {span.start: span.chord.root for span in midi_score(read_song(content), "a").chords}
    written = [span for span in COMPOSED.chords if span.start % BEATS == 0]
    assert sum(found[span.start] == span.chord.root for span in written) >= 0.8 * len(written)


def test_programs_channels_tempos_pedal_and_running_notes_are_kept(tmp_path: Path) -> None:
    meta, message = mido.MetaMessage, mido.Message
    song = read_song(
        midi(
            meta("set_tempo", tempo=500_000), meta("time_signature", numerator=3, denominator=4),
            message("program_change", program=73), message("program_change", program=120, channel=1),
            message("control_change", control=7, value=50, channel=1), message("control_change", control=64, value=127),
            message("note_on", note=60, velocity=80), message("note_on", note=50, velocity=70, channel=1),
            message("note_on", note=38, velocity=90, channel=9),
            message("note_off", note=60, time=240), message("note_off", note=50, channel=1),
            message("control_change", control=64, value=0, time=240),
            meta("set_tempo", tempo=1_000_000), meta("time_signature", numerator=4, denominator=4),
            path=tmp_path / "a.mid",
        )
    )  # fmt: skip
    flute, unknown, drums = midi_score(song, "a").parts
    assert (flute.instrument, flute.notes[0].length) == ("flute", 1.0)
    # 120 is a guitar's fret noise, for which something that has a sound stands in.
    assert unknown.notes[0].length == 0.5
    assert unknown.gain_db < -10
    assert (drums.instrument, drums.role) == ("standard_kit", "drums")
    assert song.tempo_map.changes == ((0.0, 120.0), (1.0, 60.0))
    assert song.warnings == ("midi: the meter changes to 4/4; sections and chords count bars of 3/4 throughout",)


def test_meter_changes_are_kept_in_scores_and_in_midi_files(tmp_path: Path) -> None:
    meta, message = mido.MetaMessage, mido.Message
    score = midi_score(
        read_song(
            midi(
                meta("time_signature", numerator=3, denominator=4), message("note_on", note=60, velocity=80),
                message("note_off", note=60, time=480 * 6), meta("time_signature", numerator=7, denominator=8),
                meta("time_signature", numerator=7, denominator=8, time=480), message("note_on", note=62, velocity=80),
                message("note_off", note=62, time=480), meta("time_signature", numerator=4, denominator=4),
                message("note_on", note=64, velocity=80), message("note_off", note=64, time=480),
                path=tmp_path / "a.mid",
            )
        ),
        "a",
    )  # fmt: skip
    assert (str(score.meter), [(at, str(meter)) for at, meter in score.meter_changes]) == (
        "3/4",
        [(6.0, "7/8"), (8.0, "4/4")],
    )
    assert load_score(dump_score(score)) == score
    write_midi(score, tmp_path / "b.mid")
    assert read_song((tmp_path / "b.mid").read_bytes()).meter_changes == score.meter_changes


@pytest.mark.parametrize("tonic", range(0, 12, 5))
@pytest.mark.parametrize(("mode", "scale"), [("major", (0, 2, 4, 5, 7, 9, 11)), ("minor", (0, 2, 3, 5, 7, 8, 10))])
def test_the_key_of_a_tune_is_found(tonic: int, mode: str, scale: tuple[int, ...], tmp_path: Path) -> None:
    steps = (0, 2, 4, 2, 4, 3, 2, 1, 0, 4, 5, 4, 3, 1, 0)
    messages = []
    for step in steps:
        pitch = 60 + tonic + scale[step]
        messages += [mido.Message("note_on", note=pitch, velocity=80), mido.Message("note_off", note=pitch, time=480)]
    score = midi_score(read_song(midi(*messages, path=tmp_path / "a.mid")), "a")
    assert (score.key.tonic, score.key.mode) == (tonic, mode)


NOTE = b"\x00\x90\x3c\x50\x60\x80\x3c\x40"
END = b"\x00\xff\x2f\x00"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is no Standard MIDI File"),
        (b"RIFF....WAVE", "is no Standard MIDI File"),
        (b"MThd\x00\x00", "is no Standard MIDI File"),
        (raw(END), "has no notes"),
        (raw(NOTE + END, form=2), "must be of format 0 or 1, got format 2"),
        (raw(NOTE + END, division=-6360), r"counts time in frames \(SMPTE\)"),
        (raw(NOTE + END, length=4000), "is cut off: track 1 has 12 of 4000 bytes"),
        (raw(NOTE[:6]), "track 1 ends within an event"),
        (raw(b"\xff\xff\xff\xff\x7f" + NOTE), "a number of more than 4 bytes"),
        (raw(b"\x00\x3c\x50" + NOTE), "begins with a data byte"),
        (raw(b"\x00\x90\x90\x50"), "has a data byte of 144"),
        (raw(b"\x00\xf4\x00"), "has the status 0xf4"),
        (raw(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE), "tempo must be 10 to 999 quarter notes a minute, got inf"),
        (raw(b"\x00\xff\x58\x04\x63\x02\x18\x08" + NOTE), r"meter must be 1–15 over 2, 4, 8 or 16, got 99/2\^2"),
        (b"MThd" + b"\x00" * 5_000_000, "must be at most 4000000 bytes"),
    ],
)
def test_a_broken_file_is_one_line(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem) as caught:
        midi_score(read_song(content), "a")
    assert "\n" not in str(caught.value)


def test_a_file_of_hours_is_refused() -> None:
    late = b"\xff\xff\xff\x7f\x90\x3c\x50\x60\x80\x3c\x40"
    with pytest.raises(InvalidRequest, match=r"lasts .* s; the limit is 1800 s"):
        midi_score(read_song(raw(late + END)), "a")


def test_whatever_is_done_to_a_file_it_is_a_song_or_an_invalid_request(content: bytes) -> None:
    chance = random.Random(1)
    short = content[:2000]
    for _ in range(150):
        damaged = bytearray(short)
        for _ in range(chance.randint(1, 5)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        problem = ""
        try:
            midi_score(read_song(bytes(damaged[: chance.randrange(20, len(damaged))])), "a")
        except InvalidRequest as error:
            problem = str(error)
        assert len(problem) < 200
