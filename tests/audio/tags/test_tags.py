"""Tags of others are read in every format, travel to every other, and are never taken for Tunesmith's."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from foreign_files import id3, id3v1, info, write_mp3, write_tone, write_wav

from tunesmith.audio import Audio, edit
from tunesmith.audio.credits import licence_of
from tunesmith.audio.edits import Edit, edit_in_words, edited, edits_of
from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.audio.tags import unread_names

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus")
ANN = {
    "title": "A Song", "artist": "Ann Example", "album": "An Album", "date": "2001", "tracknumber": "3",
    "genre": "Jazz", "comment": '{"mood": "calm"}', "copyright": "(c) 2001 Ann Example",
    "license": "All rights reserved",
}  # fmt: skip
TAGS = {name: [text] for name, text in ANN.items()}
MANY = {**TAGS, "artist": ["Ann Example", "Bob Ünïcode 雨"], "comment": ["one", "two"], "composer": ["Cy"],
        "tracktotal": ["12"], "my own field": ["x = y", "z"], "musicbrainz_trackid": ["0-1"],
        "lyrics": ["la\nla"], "website": ["https://example.org/a"]}  # fmt: skip


def tags(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = read_metadata(path)["tags"]
    return found


def text(encoding: int, *values: str) -> bytes:
    """The content of an ID3 text frame."""
    codec = ("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding]
    return bytes([encoding]) + ("\0".join(values)).encode(codec)


V2_2 = [(b"TT2", text(0, "A Song")), (b"TP1", text(1, "Ann Exämple")), (b"TAL", text(0, "An Album")),
        (b"TYE", text(0, "2001")), (b"TRK", text(0, "3/12")), (b"TCO", text(0, "(8)")),
        (b"COM", b"\0eng\0calm"), (b"TCR", text(0, "(c) 2001 Ann"))]  # fmt: skip
V2_3 = [(b"TIT2", text(1, "A Song")), (b"TPE1", text(1, "Ann Exämple")), (b"TALB", text(0, "An Album")),
        (b"TYER", text(0, "2001")), (b"TRCK", text(0, "3/12")), (b"TCON", text(0, "(8)")),
        (b"COMM", b"\0eng\0calm"), (b"TCOP", text(0, "(c) 2001 Ann")), (b"TXXX", b"\0LICENSE\0CC BY 4.0"),
        (b"TSSE", text(0, "an encoder"))]  # fmt: skip
OLD = {"title": ["A Song"], "artist": ["Ann Exämple"], "album": ["An Album"], "date": ["2001"], "tracknumber": ["3"],
       "tracktotal": ["12"], "genre": ["Jazz"], "comment": ["calm"], "copyright": ["(c) 2001 Ann"]}  # fmt: skip
FOREIGN: dict[str, tuple[Callable[[Path], Path], str, dict[str, list[str]]]] = {
    "FLAC": (lambda path: write_tone(path, ANN), ".flac", TAGS),
    "Ogg Vorbis": (lambda path: write_tone(path, ANN), ".ogg", TAGS),
    "Opus": (lambda path: write_tone(path, ANN, 48_000), ".opus", TAGS),
    "AIFF": (lambda path: write_tone(path, {"title": "A Song", "artist": "Ann", "copyright": "c", "comment": "{}"}),
             ".aiff", {"title": ["A Song"], "artist": ["Ann"], "copyright": ["c"], "comment": ["{}"]}),
    "CAF": (lambda path: write_tone(path, {"title": "A Song", "artist": "Ann", "copyright": "c", "comment": "{}"}),
            ".caf", {"title": ["A Song"], "artist": ["Ann"], "copyright": ["c"], "comment": ["{}"]}),
    "WAV INFO in a Windows code page": (
        lambda path: write_wav(path, info({b"INAM": b"A S\xf6ng", b"IART": b"Ann", b"IPRD": b"An Album",
                                           b"ICRD": b"2001", b"ITRK": b"3", b"ICOP": b"(c)", b"IXYZ": b"own"})),
        ".wav", {"title": ["A Söng"], "artist": ["Ann"], "album": ["An Album"], "date": ["2001"],
                 "tracknumber": ["3"], "copyright": ["(c)"], "ixyz": ["own"]}),
    "WAV with an ID3 chunk": (
        lambda path: write_wav(path, info({b"IART": b"cut off at 30"}), (b"id3 ", id3(3, V2_3))),
        ".wav", {**OLD, "license": ["CC BY 4.0"]}),
    "WAV with a bext chunk": (
        lambda path: write_wav(path, (b"bext", b"A take".ljust(256, b"\0") + b"A Recorder".ljust(346, b"\0"))),
        ".wav", {"bext_description": ["A take"], "bext_originator": ["A Recorder"]}),
    "WAV with other text than ASCII in its bext chunk": (
        lambda path: write_wav(path, (b"bext", "Für die Tür".encode("cp1252").ljust(602, b"\0"))),
        ".wav", {"bext_description": ["Für die Tür"]}),
    "ID3v2.2": (lambda path: write_mp3(path, id3(2, V2_2)), ".mp3", OLD),
    "ID3v2.3": (lambda path: write_mp3(path, id3(3, V2_3)), ".mp3", {**OLD, "license": ["CC BY 4.0"]}),
    "ID3v2.3 unsynchronised": (
        lambda path: write_mp3(path, id3(3, V2_3, 0x80)), ".mp3", {**OLD, "license": ["CC BY 4.0"]}),
    "ID3v2.4 with several values": (
        lambda path: write_mp3(path, id3(4, [(b"TPE1", text(3, "Ann", "Bob")), (b"TXXX", b"\3MOOD\0calm\0slow")])),
        ".mp3", {"artist": ["Ann", "Bob"], "mood": ["calm", "slow"]}),
    "ID3v1": (lambda path: write_mp3(path, tail=id3v1("A Song", "Ann", "An Album", "2001", 3, 8)), ".mp3",
              {"title": ["A Song"], "artist": ["Ann"], "album": ["An Album"], "date": ["2001"],
               "tracknumber": ["3"], "genre": ["Jazz"]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_tags_are_read_in_every_format_and_travel_to_every_other(tmp_path: Path, kind: str) -> None:
    write, suffix, expected = FOREIGN[kind]
    source = write(tmp_path / f"source{suffix}")
    assert {name: values for name, values in tags(source).items() if name != "software"} == expected
    audio = read_audio(source)
    for target in SUFFIXES:
        path = audio.save(tmp_path / f"to{target}")
        assert {name: values for name, values in tags(path).items() if name != "software"} == expected
        assert b"Tunesmith" not in path.read_bytes()


@pytest.mark.parametrize("first", SUFFIXES)
@pytest.mark.parametrize("second", SUFFIXES)
def test_many_and_multiple_tags_survive_every_pair_of_formats(tmp_path: Path, first: str, second: str) -> None:
    path = Audio(np.zeros((1, 800), np.float32), 8000, {"tags": MANY}).save(tmp_path / f"a{first}")
    assert tags(read_audio(path).save(tmp_path / f"b{second}")) == MANY


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_programs_find_the_tags_in_their_usual_places(tmp_path: Path, suffix: str) -> None:
    path = Audio(np.zeros((1, 8000), np.float32), 8000, {"tags": TAGS}).save(tmp_path / f"a{suffix}")
    with soundfile.SoundFile(str(path)) as file:
        found = file.copy_metadata()
    assert (found["title"], found["artist"], found["album"]) == ("A Song", "Ann Example", "An Album")
    assert found["comment"] == ANN["comment"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_our_own_metadata_is_in_a_field_of_our_own_beside_changed_tags(tmp_path: Path, suffix: str) -> None:
    own = {"title": "Calm", "model": "composer", "seed": 7, "licence": "CC0-1.0", "tags": {"artist": ["My Band"],
           "comment": ["mine"]}}  # fmt: skip
    path = Audio(np.zeros((1, 8000), np.float32), 8000, own).save(tmp_path / f"a{suffix}")
    assert read_metadata(path) == own
    with soundfile.SoundFile(str(path)) as file:
        found = file.copy_metadata()
    assert (found["title"], found["artist"], found["comment"]) == ("Calm", "My Band", "mine")


@pytest.mark.parametrize("suffix", [".flac", ".ogg"])
def test_a_file_of_version_0_1_is_still_understood(tmp_path: Path, suffix: str) -> None:
    own = {"title": "Calm", "prompt": "calm", "seed": 7, "model": "composer", "licence": "free"}
    old = {"title": "Calm", "artist": "Tunesmith (composer)", "copyright": "free", "license": "free",
           "software": "Tunesmith", "comment": json.dumps(own)}  # fmt: skip
    assert read_metadata(write_tone(tmp_path / f"a{suffix}", old)) == own
    theirs = {**old, "artist": "Tunesmith", "comment": json.dumps({"artist": "Ann", "title": "A Song"})}
    assert tags(write_tone(tmp_path / f"b{suffix}", theirs)) == {"artist": ["Ann"], "title": ["A Song"]}


def test_what_cannot_travel_is_named(tmp_path: Path) -> None:
    picture = b"\0image/png\0\3\0" + b"\x89PNG not really"
    assert unread_names(write_mp3(tmp_path / "a.mp3", id3(3, [(b"APIC", picture)]))) == ("the picture",)
    assert unread_names(write_wav(tmp_path / "a.wav", (b"iXML", b"<x/>"), (b"JUNK", b"12"))) == ("the iXML chunk",)
    moved = b"A take".ljust(338, b"\0") + struct.pack("<Q", 48_000).ljust(264, b"\0") + b"A=PCM,F=48000\r\n"
    assert unread_names(write_wav(tmp_path / "b.wav", (b"bext", moved))) == (
        "the time reference of the bext chunk", "the coding history of the bext chunk",
    )  # fmt: skip
    assert unread_names(write_wav(tmp_path / "c.wav", (b"bext", b"A take".ljust(602, b"\0")))) == ()
    assert unread_names(write_tone(tmp_path / "a.flac", ANN)) == ()


TOO_LONG = id3(4, [(b"TIT2", b"\3x")]).replace(b"TIT2\0\0\0\2", b"TIT2\0\0\7\2")


@pytest.mark.parametrize("head", [TOO_LONG, id3(3, [(b"TIT2", b"")]), id3(2, [(b"???", b"\1\xff")], 0x80)])
def test_a_broken_tag_hides_nothing_but_itself(tmp_path: Path, head: bytes) -> None:
    path = write_mp3(tmp_path / "a.mp3")
    path.write_bytes(head + path.read_bytes())
    assert not read_metadata(path).get("tags")


BROKEN = ["{", "[1]", "[" * 5000, '{"tags": 3, "markers": {"sample_rate": 0}, "edits": 5}',
          '{"tags": {"artist": 5}, "settings": 1, "timeline": {"tempos": 1}}', '{"title": "\\ud800", "model": [1]}',
          '{"stitched": [{"stitched": []}, 3], "sources": [{"parts": 1}, 2]}',
          '{"edits": [{"source": 1, "sources": 2}, 3]}',
          '{"stitched": ' + '[{"stitched": ' * 400 + "1" + "}]" * 400 + "}"]  # fmt: skip


@pytest.mark.parametrize("own", BROKEN)
def test_a_field_of_ours_that_somebody_broke_does_no_harm(tmp_path: Path, own: str) -> None:
    path = write_wav(tmp_path / "a.wav", (b"tnsm", own.encode()))
    assert read_audio(path).num_samples == 44_100
    audio = edited(edit.trim(read_audio(path), 0.1), Edit("trim", {}), {"name": "a.wav"})
    assert audio.save(tmp_path / "b.flac").exists()
    assert licence_of(audio.metadata)
    assert all(map(edit_in_words, edits_of(audio.metadata)))


def test_what_a_terminal_or_a_header_would_obey_is_left_out(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", info({b"IART": b"Ann\x1b[2J\x07", b"ICOP": b"(c)\r\nSet-Cookie: x"}))
    assert tags(path) == {"artist": ["Ann[2J"], "copyright": ["(c)\r\nSet-Cookie: x"]}
    assert licence_of(read_metadata(path)) == "(c) Set-Cookie: x"


def test_the_licence_of_very_many_works_is_short_and_true() -> None:
    own = [{"title": str(number), "model": "composer", "licence": "Free to use"} for number in range(1_000)]
    assert licence_of({"stitched": own}) == "Free to use"
    mixed = licence_of({"stitched": [*own, {"tags": {"license": ["All rights reserved"]}}, {}]})
    assert mixed.startswith("Several works, each under its own licence: 0 by Tunesmith (composer): Free to use; ")
    assert mixed.endswith("952 more works: All rights reserved, Free to use, unknown")
    assert "unknown" in licence_of({"stitched": own * 100})
