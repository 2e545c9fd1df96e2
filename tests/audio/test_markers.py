"""Loop points and cues: where they are after a change of rate, and after cutting and joining."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from budgets import VALUES
from foreign_files import cues, smpl, write_wav
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.audio import Audio, edit
from tunesmith.audio.find_loop import seamless
from tunesmith.audio.markers import Cue, Loop, Markers, loop_points_json, markers_of, whole_loop
from tunesmith.audio.reader import read_audio
from tunesmith.audio.resample import resample, resampled_length
from tunesmith.audio.spool import Samples

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus")
RATES = (8_000, 22_050, 44_100, 48_000)


def sound(num_samples: int = 44_100, rate: int = 44_100, markers: Markers | None = None) -> Audio:
    noise: Samples = np.random.default_rng(1).uniform(-0.3, 0.3, (1, num_samples)).astype(np.float32)
    return Audio(noise, rate, {"markers": (markers or whole_loop(num_samples, rate)).as_json()})


def marked(audio: Audio) -> Markers:
    return markers_of(audio.metadata, audio.sample_rate)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_loop_is_written_and_read_in_every_format(tmp_path: Path, suffix: str) -> None:
    back = read_audio(sound().save(tmp_path / f"a{suffix}"))
    assert marked(back) == whole_loop(back.num_samples, back.sample_rate)


@pytest.mark.parametrize("first", SUFFIXES)
@pytest.mark.parametrize("second", [".wav", ".ogg"])
def test_all_that_a_workstation_marked_survives_formats_that_have_no_place_for_it(
    tmp_path: Path, first: str, second: str
) -> None:
    loops = (Loop(100, 2_000), Loop(30_000, 14_100, "alternating", 3))
    markers = Markers(48_000, loops, (Cue(0, "Anfang"), Cue(24_000, "Strophe é"), Cue(44_000)), 57)
    there = read_audio(sound(48_000, 48_000, markers).save(tmp_path / f"a{first}"))
    assert marked(read_audio(there.save(tmp_path / f"b{second}"))) == markers


def test_chunks_of_a_workstation_are_read_and_written_as_they_were(tmp_path: Path) -> None:
    chunks = (smpl([(0, 10, 2_009), (1, 5_000, 43_999)], unity_note=48), *cues({0: "intro", 22_050: "A"}))
    path = write_wav(tmp_path / "daw.wav", *chunks)
    audio = read_audio(path)
    assert marked(audio) == Markers(
        44_100, (Loop(10, 2_000), Loop(5_000, 39_000, "alternating")), (Cue(0, "intro"), Cue(22_050, "A")), 48
    )
    content = audio.save(tmp_path / "ours.wav").read_bytes()
    assert content.count(b"smpl") == content.count(b"cue ") == 1
    at = content.index(b"smpl") + 8
    numbers = np.frombuffer(content[at : at + 36 + 2 * 24], "<u4")
    assert (numbers[3], numbers[7], *numbers[10:13], *numbers[16:19]) == (48, 2, 0, 10, 2_009, 1, 5_000, 43_999)


def test_loop_comments_of_games_are_read(tmp_path: Path) -> None:
    path = Audio(sound().samples, 44_100, {"tags": {"loopstart": ["441"], "looplength": ["22050"]}}).save(
        tmp_path / "a.ogg"
    )  # fmt: skip
    audio = read_audio(path)
    assert marked(audio).loops == (Loop(441, 22_050),)
    assert loop_points_json(audio.metadata, 44_100) == [
        {"start": 441, "end": 22_490, "length": 22_050, "kind": "forward", "start_seconds": 0.01,
         "end_seconds": 0.51, "length_seconds": 0.5}
    ]  # fmt: skip


@VALUES
@given(st.integers(1, 10**7), st.sampled_from(RATES), st.sampled_from(RATES))
def test_a_loop_of_the_whole_sound_is_one_at_any_other_rate(num_samples: int, rate: int, other: int) -> None:
    length = resampled_length(num_samples, rate, other)
    assert whole_loop(num_samples, rate).at_rate(other) == whole_loop(max(1, length), other)


@VALUES
@given(st.integers(0, 900), st.integers(1, 100), st.integers(0, 999), st.integers(1, 1_000))
def test_a_loop_is_kept_by_a_cut_that_holds_it_and_by_no_other(start: int, length: int, first: int, last: int) -> None:
    markers = Markers(1_000, (Loop(start, length),), (Cue(start),))
    if first >= last:
        return
    kept = markers.of_stretches([(first, last)])
    is_inside = first <= start and start + length <= last
    assert kept.loops == ((Loop(start - first, length),) if is_inside else ())
    assert kept.cues == ((Cue(start - first),) if first <= start < last else ())


def test_a_loop_in_a_later_stretch_moves_with_it() -> None:
    markers = Markers(1_000, (Loop(700, 100), Loop(0, 1_000)))
    assert markers.of_stretches([(0, 200), (600, 1_000)]).loops == (Loop(300, 100),)
    assert markers.of_stretches([(0, 200), (600, 1_000)], faded=101).loops == ()


@pytest.mark.parametrize(("change", "loops"), [
    (lambda audio: resample(audio, 22_050), (Loop(5_000, 10_000),)),
    (edit.to_mono, (Loop(10_000, 20_000),)),
    (lambda audio: edit.gain(audio, -3), (Loop(10_000, 20_000),)),
    (lambda audio: edit.trim(audio, 5_000 / 44_100), (Loop(5_000, 20_000),)),
    (lambda audio: edit.trim(audio, 0.0, 0.5), ()),
    (lambda audio: edit.fade(audio, 0.1, 0.1), (Loop(10_000, 20_000),)),
    (lambda audio: edit.fade(audio, 0.3), ()),
    (lambda audio: edit.loop(audio, 4_100 / 44_100), (Loop(0, 40_000),)),
    (lambda audio: seamless(audio)[0], (Loop(0, 20_000),)),
])  # fmt: skip
def test_every_edit_keeps_moves_makes_or_drops_a_loop(change: object, loops: tuple[Loop, ...]) -> None:
    assert callable(change)
    audio = sound(markers=Markers(44_100, (Loop(10_000, 20_000),)))
    assert marked(change(audio)).loops == loops


def test_the_loop_that_a_file_states_is_taken_as_it_is() -> None:
    audio = sound(markers=Markers(44_100, (Loop(10_000, 20_000),)))
    looped, points = seamless(audio)
    assert points.is_stated
    assert (looped.samples == audio.samples[:, 10_000:30_000]).all()
    assert not seamless(sound().without_metadata())[1].is_stated


@pytest.mark.parametrize("stored", [
    3, {}, {"sample_rate": 0, "loops": [{"start": 1, "length": 2}]}, {"sample_rate": "x"},
    {"sample_rate": 8, "loops": [{"begin": 1}]}, {"sample_rate": 8, "loops": 5},
])  # fmt: skip
def test_markers_that_are_none_are_none(stored: object) -> None:
    assert not markers_of({"markers": stored}, 44_100)


@pytest.mark.parametrize("chunk", [b"\xff" * 36, b"\xff" * 60])
def test_a_broken_smpl_chunk_does_no_harm(tmp_path: Path, chunk: bytes) -> None:
    audio = read_audio(write_wav(tmp_path / "a.wav", (b"smpl", chunk), (b"cue ", chunk[:7])))
    assert audio.num_samples == 44_100
    assert audio.save(tmp_path / "b.wav").exists()
