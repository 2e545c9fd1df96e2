"""Samples are kept: the depth of the source, every bit where nothing is computed, and a warning where some are lost."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from tunesmith.audio import Audio
from tunesmith.audio.edit import fade, gain, loop, to_mono, trim
from tunesmith.audio.find_loop import seamless
from tunesmith.audio.fit_length import fit
from tunesmith.audio.reader import read_audio
from tunesmith.audio.resample import resample
from tunesmith.audio.stitch import stitch
from tunesmith.audio.writer import DITHER_SEED, to_int16, write_with_notices
from tunesmith.cli import run
from tunesmith.errors import AudioFileWarning

RATE = 44_100
Steps = npt.NDArray[np.int32]


def whole_numbers(bits: int) -> Steps:
    """Return a second of every kind of sample, the lowest and highest among them, as the upper bits of 32."""
    top = 1 << bits - 1
    steps = np.random.default_rng(bits).integers(-top, top, (RATE, 2), dtype=np.int64)
    steps[:4] = [[-top, top - 1], [0, 1], [-1, 0], [top - 2, 1 - top]]
    return (steps << 32 - bits).astype(np.int32)


def file_of(path: Path, bits: int, subtype: str | None = None) -> Path:
    soundfile.write(path, whole_numbers(bits), RATE, subtype=subtype or f"PCM_{bits}")
    return path


def steps_of(path: Path) -> Steps:
    steps: Steps = soundfile.read(path, dtype="int32", always_2d=True)[0]
    return steps


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("source", ["a.wav", "a.flac", "a.aiff", "a.w64", "a.caf"])
@pytest.mark.parametrize("target", [".wav", ".flac"])
def test_convert_keeps_every_bit(tmp_path: Path, bits: int, source: str, target: str) -> None:
    path = file_of(tmp_path / source, bits)
    assert run(["convert", str(path), "-o", str(tmp_path / f"b{target}")]) == 0
    assert soundfile.info(tmp_path / f"b{target}").subtype == f"PCM_{bits}"
    assert np.array_equal(steps_of(tmp_path / f"b{target}"), whole_numbers(bits))


@pytest.mark.parametrize("bits", [16, 24])
def test_a_trim_without_fades_keeps_every_bit(tmp_path: Path, bits: int) -> None:
    path = file_of(tmp_path / "a.wav", bits)
    assert run(["trim", str(path), "--start", "0.25", "--end", "0.75", "-o", str(tmp_path / "b.flac")]) == 0
    part = whole_numbers(bits)[RATE // 4 : 3 * RATE // 4]
    assert np.array_equal(steps_of(tmp_path / "b.flac"), part)
    assert np.array_equal(steps_of(read_audio(tmp_path / "b.flac").save(tmp_path / "c.wav")), part)


def test_eight_bits_and_the_telephones_codes_are_kept_in_sixteen(tmp_path: Path) -> None:
    for name, subtype in (("a.wav", "PCM_U8"), ("b.wav", "ULAW"), ("c.au", "ALAW"), ("d.flac", "PCM_S8")):
        path = file_of(tmp_path / name, 8, subtype)
        heard = steps_of(path)
        assert np.array_equal(steps_of(read_audio(path).save(tmp_path / f"{name}.flac")), heard), name


def test_floats_are_kept_as_floats(tmp_path: Path) -> None:
    hot = np.random.default_rng(0).normal(0, 1, (RATE, 1)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", hot, RATE, subtype="FLOAT")
    read_audio(tmp_path / "a.wav").save(tmp_path / "b.wav")
    assert soundfile.info(tmp_path / "b.wav").subtype == "FLOAT"
    assert np.array_equal(soundfile.read(tmp_path / "b.wav", dtype="float32", always_2d=True)[0], hot)


def test_of_32_whole_bits_the_upper_24_are_kept(tmp_path: Path) -> None:
    audio = read_audio(file_of(tmp_path / "a.wav", 32))
    assert soundfile.info(audio.save(tmp_path / "b.wav")).subtype == "FLOAT"
    kept = soundfile.read(tmp_path / "b.wav", always_2d=True)[0]
    assert np.abs(kept - whole_numbers(32) / 2**31).max() <= 2**-25  # half a step of 24 bits


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_every_edit_keeps_the_depth(tmp_path: Path, bits: int) -> None:
    sound = whole_numbers(16) / 2**33
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT" if bits == 32 else f"PCM_{bits}")
    audio = read_audio(tmp_path / "a.wav")
    edited = [
        trim(audio, 0.1), fade(audio, 0.1), gain(audio, -6), to_mono(audio), loop(audio, 0.1),
        fit(audio, 1.5).audio, seamless(audio)[0], resample(audio, 48_000), stitch([audio, audio], 0.1)[0],
        audio.with_metadata(title="x"),
    ]  # fmt: skip
    for number, one in enumerate(edited):
        assert one.sample_format.kept_bits == bits, number


def test_sounds_put_together_have_the_depth_of_the_deepest(tmp_path: Path) -> None:
    low, high = (read_audio(file_of(tmp_path / f"{bits}.wav", bits)) for bits in (16, 24))
    assert stitch([gain(low, -20), gain(high, -20)], 0.1)[0].sample_format.bits == 24


@pytest.mark.parametrize("command", [
    ("convert",), ("trim", "--start", "0.1"), ("fade", "--in", "0.1"), ("normalize",), ("loop",),
    ("fit", "--duration", "0.9"),
])  # fmt: skip
def test_every_command_keeps_24_bits_unless_others_are_asked_for(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = file_of(tmp_path / "a.wav", 24)
    for more, subtype in (((), "PCM_24"), (("--bits", "16"), "PCM_16")):
        assert run([command[0], str(path), *command[1:], *more, "-o", str(tmp_path / "b.wav")]) == 0
        assert soundfile.info(tmp_path / "b.wav").subtype == subtype


def test_detail_below_16_bits_survives_a_gain(tmp_path: Path) -> None:
    quiet = whole_numbers(24) >> 9 & ~255  # 15 bits in the lowest of 24
    soundfile.write(tmp_path / "a.wav", quiet, RATE, subtype="PCM_24")
    steps = steps_of(gain(read_audio(tmp_path / "a.wav"), 20 * np.log10(2)).save(tmp_path / "b.wav"))
    assert np.abs(steps - 2 * quiet).max() <= 256


def test_clipped_samples_are_counted_in_a_warning(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sound = np.zeros((RATE, 1), np.float32)
    sound[:5] = [[1.5], [-1.01], [1.0], [-1.0], [0.3]]
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    audio = read_audio(tmp_path / "a.wav")
    for name in ("b.flac", "c.mp3", "c.ogg"):
        assert "2 samples are above full scale" in write_with_notices(audio, tmp_path / name)[1][-1]
    with pytest.warns(AudioFileWarning, match=r"1 sample is above full scale"):
        trim(audio, 1 / RATE).save(tmp_path / "d.wav", bits=16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audio.save(tmp_path / "e.wav")
        gain(audio, -6).save(tmp_path / "f.wav", bits=24)
    assert run(["convert", str(tmp_path / "a.wav"), "--bits", "16", "-o", str(tmp_path / "g.wav")]) == 0
    said = capfd.readouterr().err
    assert said.startswith(f"warning: {tmp_path / 'g.wav'}: 2 samples are above full scale and clipped")
    assert said.count("\n") == 1


def test_depth_that_a_format_lacks_is_said(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full((9, 1), 0.1), RATE, subtype="FLOAT")
    audio = read_audio(tmp_path / "a.wav")
    _, notices = write_with_notices(audio, tmp_path / "b.flac")
    said = "written with 24 bits per sample, the most of the format; the source is 32-bit float"
    assert notices == (said,)
    assert write_with_notices(audio, tmp_path / "c.flac", bits=16)[1] == ()
    assert write_with_notices(audio, tmp_path / "d.mp3")[1] == ()


def test_made_sound_has_16_dithered_bits_as_ever(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, (2, 9_000)).astype(np.float32)
    back = soundfile.read(Audio(sound, RATE).save(tmp_path / "a.wav"), dtype="int16")[0]
    random = np.random.Generator(np.random.PCG64(DITHER_SEED))
    noise = random.random((9_000, 2), dtype=np.float32) - random.random((9_000, 2), dtype=np.float32)
    assert np.array_equal(back, np.rint(sound.T * np.float32(32768) + noise))


def test_dither_is_left_out_only_where_all_samples_have_16_bits() -> None:
    random = np.random.default_rng(0)
    exact = np.array([[1.0, -1.0], [0.5, 1 / 32768]], np.float32)
    assert to_int16(exact, random).tolist() == [[32767, -32768], [16384, 1]]
    between = np.full((1_000, 1), 0.5 / 32768, np.float32)
    assert np.mean(to_int16(between, random)) == pytest.approx(0.5, abs=0.1)
