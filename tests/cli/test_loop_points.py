"""Loop points from the command line: written with loops, believed, kept by edits that leave them valid."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from foreign_files import cues, info, smpl, write_wav

from tunesmith.audio import Audio
from tunesmith.audio.markers import Cue, Loop, Markers, markers_of
from tunesmith.audio.reader import read_audio
from tunesmith.cli import run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder."""
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def marked(path: str) -> Markers:
    audio = read_audio(path)
    return markers_of(audio.metadata, audio.sample_rate)


def test_a_generated_loop_says_so_in_the_file_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    made = said(capsys, "drums, 120 bpm", "--loop", "--bars", "1", "--seed", "1", "-o", "l.wav")
    (points,) = made["loop_points"]
    assert (points["start"], points["end"], points["length"], points["length_seconds"]) == (0, 88_199, 88_200, 2.0)
    content = Path("l.wav").read_bytes()
    at = content.index(b"smpl") + 8
    assert struct.unpack("<6I", content[at + 36 : at + 60])[1:4] == (0, 0, 88_199)
    assert said(capsys, "info", "l.wav")["loop_points"] == [points]
    for target, length in (("l.ogg", 88_200), ("l.flac", 88_200), ("l.opus", 96_000)):
        assert run(["convert", "l.wav", "-o", target]) == 0
        content = Path(target).read_bytes()
        assert b"LOOPSTART=0" in content
        assert b"LOOPLENGTH=%d" % length in content
        assert marked(target).loops == (Loop(0, length),)
    assert said(capsys, "loop", "l.opus", "-o", "again.wav")["loop_points"][0]["length"] == 96_000
    assert (read_audio("l.flac").samples == read_audio("l.wav").samples).all()


def test_a_sound_that_is_looped_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(Path("a.wav"))
    looped = said(capsys, "loop", "a.wav", "-o", "b.ogg")
    length = read_audio("b.ogg").num_samples
    assert (looped["loop_points"][0]["start"], looped["loop_points"][0]["length"]) == (0, length)
    assert run(["info", "b.ogg"]) == 0
    assert f"samples 0 to {length - 1}, 0.000 to " in capsys.readouterr().out


EDITS: dict[str, tuple[tuple[str, ...], tuple[Loop, ...]]] = {
    "convert": ((), (Loop(8_820, 22_050), Loop(4_410, 2_205, "alternating"))),
    "convert to half the rate": (("--sample-rate", "22050"), (Loop(4_410, 11_025), Loop(2_205, 1_103, "alternating"))),
    "normalize": ((), (Loop(8_820, 22_050), Loop(4_410, 2_205, "alternating"))),
    "trim": (("--start", "0.05"), (Loop(6_615, 22_050), Loop(2_205, 2_205, "alternating"))),
    "trim into it": (("--start", "0.15"), (Loop(2_205, 22_050),)),
    "fade": (("--in", "0.05", "--out", "0.2"), (Loop(8_820, 22_050), Loop(4_410, 2_205, "alternating"))),
    "fade into both": (("--in", "0.3"), ()),
    "fit": (("--duration", "0.15"), (Loop(4_410, 2_205, "alternating"),)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_workstation_s_loops_and_markers_are_kept_where_they_stay_true(
    edit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options, loops = EDITS[edit]
    chunks = (smpl([(0, 8_820, 30_869), (1, 4_410, 6_614)], 48), *cues({4_410: "A"}), info({b"IART": b"Ann"}))
    write_wav(Path("daw.wav"), *chunks)
    assert run([edit.split()[0], "daw.wav", *options, "-o", "ours.wav"]) == 0
    assert set(marked("ours.wav").loops) == set(loops) or edit == "fit"
    warning = capsys.readouterr().err
    assert ("loop points are not kept: " in warning) == (len(marked("ours.wav").loops) < 2)
    assert read_audio("ours.wav").metadata["tags"] == {"artist": ["Ann"]}
    if edit in ("convert", "normalize"):
        assert marked("ours.wav") == Markers(44_100, loops, (Cue(4_410, "A"),), 48)


def test_stitched_loops_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(Path("a.wav"), smpl([(0, 0, 44_099)]))
    assert run(["stitch", "a.wav", "a.wav", "--crossfade", "0.1", "-o", "b.wav"]) == 0
    assert "loop points are not kept: the parts of a stitched file do not loop" in capsys.readouterr().err
    assert not marked("b.wav")


def test_a_trimmed_loop_of_ours_is_no_longer_called_one() -> None:
    Audio(read_audio(write_wav(Path("a.wav"), smpl([(0, 0, 44_099)]))).samples, 44_100,
          {"model": "composer", "settings": {"loop": True}}).save("b.flac")  # fmt: skip
    assert run(["trim", "b.flac", "--end", "0.5", "-o", "c.flac"]) == 0
    assert read_audio("c.flac").metadata["settings"]["loop"] is False
