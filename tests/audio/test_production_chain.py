"""Files as audio workstations write them, edited here and read by another reader."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio.reader import read_audio
from tunesmith.audio.wave_header import read_wave_header
from tunesmith.cli import run

RATE = 96_000
FIVE_ONE_WITH_SIDES = 0x60F


def steps(channels: int, count: int = RATE) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Return samples of 24 bits whose lowest bits are in use, as the upper bits of 32."""
    random = np.random.default_rng(channels)
    return np.asarray(random.integers(-(1 << 22), 1 << 22, (count, channels)) << 8, np.int32)


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def bounce(path: Path, channels: int = 6, mask: int = FIVE_ONE_WITH_SIDES) -> Path:
    """Write a broadcast WAV: bext and iXML before the samples, a cue and a LIST after them, an odd chunk between."""
    soundfile.write(path, steps(channels), RATE, format="WAVEX", subtype="PCM_24")
    plain = path.read_bytes()
    form, samples = bytearray(plain[12:60]), plain[plain.index(b"data") :]
    form[28:32] = struct.pack("<I", mask)
    before = chunk(b"JUNK", bytes(28)) + chunk(b"bext", bytes(602)) + bytes(form) + chunk(b"iXML", b"<BWFXML/>")
    after = chunk(b"cue ", struct.pack("<I", 0)) + chunk(b"LIST", b"INFOIART\x04\0\0\0Ann\0")
    body = b"WAVE" + before + samples + after
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def read_back(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    return np.asarray(soundfile.read(path, dtype="int32", always_2d=True)[0])


def test_a_surround_bounce_goes_through_trim_and_flac_and_back_without_losing_a_bit(tmp_path: Path) -> None:
    source = bounce(tmp_path / "mix.wav")
    assert np.array_equal(read_back(source), steps(6))
    assert run(["trim", str(source), "--start", "0.25", "--end", "0.75", "-o", str(tmp_path / "part.flac")]) == 0
    assert run(["convert", str(tmp_path / "part.flac"), "-o", str(tmp_path / "part.wav")]) == 0
    for name in ("part.flac", "part.wav"):
        info = soundfile.info(tmp_path / name)
        assert (info.samplerate, info.channels, info.subtype) == (RATE, 6, "PCM_24")
        assert np.array_equal(read_back(tmp_path / name), steps(6)[RATE // 4 : 3 * RATE // 4])


def test_a_wav_made_of_a_wav_states_the_same_speakers(tmp_path: Path) -> None:
    assert run(["trim", str(bounce(tmp_path / "mix.wav")), "--end", "0.5", "-o", str(tmp_path / "part.wav")]) == 0
    with (tmp_path / "part.wav").open("rb") as file:
        header = read_wave_header(file, (tmp_path / "part.wav").stat().st_size)
    assert header is not None
    assert header.channel_mask == FIVE_ONE_WITH_SIDES
    assert read_audio(tmp_path / "part.wav").sample_format.channel_mask == FIVE_ONE_WITH_SIDES


@pytest.mark.parametrize("killed_at", [0, 1_000])
def test_a_recorder_that_was_switched_off_loses_nothing(tmp_path: Path, killed_at: int) -> None:
    soundfile.write(tmp_path / "a.wav", steps(2), RATE, subtype="PCM_24")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[4:8] = struct.pack("<I", 36 + killed_at * 6)
    content[40:44] = struct.pack("<I", killed_at * 6)
    (tmp_path / "a.wav").write_bytes(content[:-4])  # in the middle of a sample
    assert run(["convert", str(tmp_path / "a.wav"), "-o", str(tmp_path / "b.flac")]) == 0
    assert np.array_equal(read_back(tmp_path / "b.flac"), steps(2)[:-1])


def test_a_float_bounce_keeps_what_is_above_full_scale_from_edit_to_edit(tmp_path: Path) -> None:
    hot = np.asarray(steps(2) / 2**28, np.float32)
    soundfile.write(tmp_path / "a.wav", hot, RATE, subtype="FLOAT")
    assert run(["trim", str(tmp_path / "a.wav"), "-o", str(tmp_path / "b.wav")]) == 0
    assert run(["convert", str(tmp_path / "b.wav"), "-o", str(tmp_path / "c.wav")]) == 0
    assert np.array_equal(soundfile.read(tmp_path / "c.wav", dtype="float32")[0], hot)
    assert np.abs(hot).max() > 1.5


def test_sixty_four_bit_floats_are_kept_to_24_bits(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (RATE, 2))
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="DOUBLE")
    assert run(["convert", str(tmp_path / "a.wav"), "-o", str(tmp_path / "b.wav")]) == 0
    assert soundfile.info(tmp_path / "b.wav").subtype == "FLOAT"
    assert np.array_equal(soundfile.read(tmp_path / "b.wav")[0], sound.astype(np.float32))
