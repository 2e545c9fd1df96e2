"""Whose a file is, after every command: foreign tags stay, a mixture's licence names every part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from foreign_files import id3, write_mp3, write_tone, write_wav

import tunesmith
from tunesmith.audio import Audio
from tunesmith.audio.reader import read_metadata
from tunesmith.cli import run

TAGS = {"artist": "Ann Example", "album": "An Album", "title": "A Song", "copyright": "(c) 2001 Ann Example",
        "license": "All rights reserved", "comment": '{"mood": "calm"}'}  # fmt: skip
FREE = "Free to use"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a stranger's recording, one without tags, and a piece of their own."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    write_tone(Path("tagged.flac"), TAGS)
    write_tone(Path("untagged.wav"))
    return tmp_path


@pytest.fixture(scope="module")
def piece() -> Audio:
    return tunesmith.generate("drums, 120 bpm", duration=3, seed=1)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


@pytest.mark.parametrize("edit", [
    ("convert", "--mono"), ("trim", "--end", "0.9"), ("fade", "--out", "0.2"), ("normalize",), ("loop",),
    ("fit", "--duration", "1.5"),
])  # fmt: skip
@pytest.mark.parametrize("target", ["a.wav", "a.flac", "a.mp3"])
def test_a_stranger_s_file_stays_a_stranger_s(edit: tuple[str, ...], target: str) -> None:
    command, *options = edit
    assert run([command, "tagged.flac", *options, "-o", target]) == 0
    metadata = read_metadata(target)
    assert {name: values for name, values in metadata["tags"].items() if name != "software"} == {
        name: [text] for name, text in TAGS.items()
    }
    assert not {"model", "licence", "mood"} & metadata.keys()
    with soundfile.SoundFile(target) as file:
        assert "Tunesmith" not in str(file.copy_metadata().get("artist"))


@pytest.mark.parametrize(("strange", "words"), [
    ("tagged.flac", "A Song by Ann Example: All rights reserved; (c) 2001 Ann Example"),
    ("untagged.wav", "untagged.wav by an unknown author: unknown"),
])  # fmt: skip
def test_a_mixture_names_every_part_or_says_that_one_is_unknown(
    piece: Audio, strange: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    piece.save("own.wav")
    result = said(capsys, "stitch", "own.wav", strange, "-o", "both.mp3", "--crossfade", "0.1")
    licences = [
        result["licence"],
        said(capsys, "show", "both.mp3")["licence"],
        said(capsys, "info", "both.mp3")["licence"],
    ]
    (track,) = [one for one in said_log(capsys) if one["generated_by"] == "stitch"]
    with soundfile.SoundFile("both.mp3") as file:
        licences += [track["licence"], file.copy_metadata()["copyright"]]
    for licence in licences:
        assert words in licence
        assert not licence.startswith(FREE)
    assert run(["convert", "both.mp3", "-o", "again.flac"]) == 0
    assert words in said(capsys, "info", "again.flac")["licence"]
    assert run(["stitch", "again.flac", "own.wav", "-o", "nested.wav", "--crossfade", "0.1"]) == 0
    assert words in said(capsys, "show", "nested.wav")["licence"]


def said_log(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["log", "--json"]) == 0
    tracks: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return tracks


def test_pieces_of_one_licence_keep_it(piece: Audio, capsys: pytest.CaptureFixture[str]) -> None:
    piece.save("own.wav")
    assert said(capsys, "stitch", "own.wav", "own.wav", "-o", "both.wav", "--crossfade", "0.1")["licence"].startswith(
        FREE
    )


@pytest.mark.parametrize(("licence", "exit_code"), [
    ("", 2), ("All rights reserved", 2), ("CC BY-NC 4.0", 2), ("my own rules", 2), ("CC BY 4.0", 0),
    ("https://creativecommons.org/licenses/by-sa/4.0/", 0), ("https://creativecommons.org/publicdomain/zero/1.0/", 0),
])  # fmt: skip
def test_commercial_safe_refuses_what_may_not_be_sold_or_is_unknown(
    piece: Audio, licence: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    piece.save("own.wav")
    write_tone(Path("other.flac"), {"license": licence} if licence else {})
    asked = ["stitch", "own.wav", "other.flac", "-o", "x.wav", "--crossfade", "0.1"]
    assert run([*asked, "--commercial-safe"]) == exit_code
    assert ("commercial_safe: " in capsys.readouterr().err) == bool(exit_code)
    assert Path("x.wav").exists() == (not exit_code)
    Path("x.wav").unlink(missing_ok=True)
    assert run(asked) == 0


def test_a_mixture_takes_the_strictest_terms_of_its_parts(piece: Audio, capsys: pytest.CaptureFixture[str]) -> None:
    piece.save("own.wav")
    write_tone(Path("limited.flac"), {"license": "Stability AI Community License"})
    write_tone(Path("foreign.flac"), {"license": "CC BY-NC 4.0"})
    asked = ["stitch", "own.wav", "limited.flac", "-o", "both.wav", "--crossfade", "0.1"]
    assert run([*asked, "--commercial-safe"]) == 2
    assert "only below 1,000,000 US dollars of yearly revenue" in capsys.readouterr().err
    assert run([*asked, "--commercial-safe", "--revenue-below-limit"]) == 0
    assert run(["stitch", "both.wav", "foreign.flac", "-o", "all.wav", "--crossfade", "0.1"]) == 0
    for name, terms, limit in (
        ("own.wav", "allowed", None), ("both.wav", "below-revenue-limit", 1_000_000), ("all.wav", "forbidden", None),
    ):  # fmt: skip
        line = None if name == "own.wav" else "Powered by Stability AI"
        for command in ("show", "info"):
            about = said(capsys, command, name)
            assert (about["licence_terms"], about["revenue_limit_usd"], about["attribution"]) == (terms, limit, line)
    capsys.readouterr()
    assert run(["info", "both.wav"]) == run(["show", "both.wav"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("below 1,000,000 US dollars of yearly revenue") == 2
    assert shown.count("Powered by Stability AI") == 2


def test_what_is_lost_is_one_warning(capsys: pytest.CaptureFixture[str]) -> None:
    write_mp3(Path("a.mp3"), id3(3, [(b"APIC", b"\0image/png\0\3\0\x89PNG")]))
    write_wav(Path("a.wav"), (b"iXML", b"<x/>"), (b"cart", b"1234"))
    for source, lost in (("a.mp3", "the picture"), ("a.wav", "the iXML chunk, the cart chunk")):
        assert run(["convert", source, "-o", "b.flac"]) == 0
        assert capsys.readouterr().err == f"warning: not kept: {lost}\n"


def test_a_loudness_that_is_no_longer_true_goes() -> None:
    gain = {"artist": ["Ann"], "replaygain_track_gain": ["-3 dB"]}
    Audio(np.full((1, 8000), 0.1, np.float32), 8000, {"tags": gain}).save("a.flac")
    assert run(["convert", "a.flac", "-o", "b.ogg"]) == 0
    assert read_metadata("b.ogg")["tags"] == gain
    assert run(["normalize", "a.flac", "-o", "c.ogg"]) == 0
    assert read_metadata("c.ogg")["tags"] == {"artist": ["Ann"]}
