"""Surround: which channel is which speaker, in every format and through every edit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio.edit import fade, trim
from tunesmith.audio.reader import read_audio
from tunesmith.audio.speaker_layout import USUAL_MASKS, VORBIS_ORDERS, from_vorbis, weights
from tunesmith.audio.spool import Samples
from tunesmith.audio.wave_header import read_wave_header, state_speakers
from tunesmith.errors import InvalidRequest

RATE = 48_000
TONES = (300, 400, 500, 60, 700, 800, 900, 1000)
FIVE_ONE_WITH_SIDES = 0x60F


def tones(channels: int) -> Samples:
    at = np.arange(RATE)[:, None] / RATE
    return np.asarray(0.2 * np.sin(2 * np.pi * at * np.array(TONES[:channels])), np.float32)


def heard(path: Path) -> list[int]:
    """Return each channel's tone, of what a reader of our own finds."""
    spectra = np.abs(np.fft.rfft(read_audio(path).samples, axis=1))
    return [int(place) for place in spectra.argmax(axis=1)]


def mask_of(path: Path) -> int | None:
    with path.open("rb") as file:
        header = read_wave_header(file, path.stat().st_size)
    return None if header is None else header.channel_mask


def surround(path: Path, mask: int, channels: int = 6) -> Path:
    soundfile.write(path, tones(channels), RATE, format="WAVEX", subtype="PCM_24")
    content = bytearray(path.read_bytes())
    content[40:44] = mask.to_bytes(4, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus"])
def test_five_one_stays_on_its_speakers_in_every_format(tmp_path: Path, suffix: str) -> None:
    audio = read_audio(surround(tmp_path / "a.wav", 0x3F))
    path = audio.save(tmp_path / f"b{suffix}")
    assert heard(path) == list(TONES[:6])
    back = read_audio(path).save(tmp_path / "c.wav")
    assert heard(back) == list(TONES[:6])
    assert mask_of(back) == 0x3F


@pytest.mark.parametrize("name", ["a.ogg", "a.opus"])
def test_vorbis_and_opus_have_their_own_order(tmp_path: Path, name: str) -> None:
    path = read_audio(surround(tmp_path / "a.wav", 0x3F)).save(tmp_path / name)
    plain = soundfile.read(path, dtype="float32")[0]
    order = [int(place) for place in np.abs(np.fft.rfft(plain[:RATE], axis=0)).argmax(axis=0)]
    assert order == [300, 500, 400, 700, 800, 60]  # left, centre, right, left and right surround, LFE


@pytest.mark.parametrize("channels", VORBIS_ORDERS)
def test_the_orders_are_each_others_inverse(channels: int) -> None:
    back = from_vorbis(channels)
    assert back is not None
    assert [VORBIS_ORDERS[channels][place] for place in back] == list(range(channels))


def test_edits_keep_the_speakers_that_a_file_states(tmp_path: Path) -> None:
    audio = read_audio(surround(tmp_path / "a.wav", FIVE_ONE_WITH_SIDES))
    path = trim(fade(audio, 0.1), 0.2).save(tmp_path / "b.wav")
    assert mask_of(path) == FIVE_ONE_WITH_SIDES
    assert soundfile.info(path).subtype == "PCM_24"


def test_stereo_is_written_as_ever(tmp_path: Path) -> None:
    path = read_audio(surround(tmp_path / "a.wav", 0x3, 2)).save(tmp_path / "b.wav")
    assert path.read_bytes()[20:22] == b"\x01\0"
    before = path.read_bytes()
    state_speakers(path, 0x3)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("suffix", "most"), [(".mp3", 2), (".flac", 8)])
def test_more_channels_than_a_format_has_are_refused_in_one_line(tmp_path: Path, suffix: str, most: int) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((9, most + 1)), RATE)
    with pytest.raises(InvalidRequest, match=rf"output: .* has at most {most} channels, got {most + 1}$"):
        read_audio(tmp_path / "a.wav").save(tmp_path / f"b{suffix}")


@pytest.mark.parametrize(("channels", "mask", "expected"), [
    (1, None, [1]), (2, None, [1, 1]), (3, None, [1, 1, 1]), (4, None, [1, 1, 1.41, 1.41]),
    (5, None, [1, 1, 1, 1.41, 1.41]), (6, None, [1, 1, 1, 0, 1.41, 1.41]), (6, 0x3F, [1, 1, 1, 0, 1.41, 1.41]),
    (6, FIVE_ONE_WITH_SIDES, [1, 1, 1, 0, 1.41, 1.41]), (5, 0x60B, [1, 1, 0, 1.41, 1.41]),
    (4, 0x107, [1, 1, 1, 1]), (3, 0xB, [1, 1, 0]), (7, None, [1, 1, 1, 0, 1, 1.41, 1.41]),
    (8, None, [1, 1, 1, 0, 1, 1, 1.41, 1.41]), (12, None, [1] * 12),
    (12, 0x2D63F, [1, 1, 1, 0, 1, 1, 1.41, 1.41] + [1] * 4),
    (2, 0x3F, [1, 1]), (9, 0x3, [1] * 9),
])  # fmt: skip
def test_weights_are_those_of_bs_1770(channels: int, mask: int | None, expected: list[float]) -> None:
    assert list(weights(channels, mask)) == expected


def test_every_usual_mask_has_as_many_speakers_as_channels() -> None:
    assert all(mask.bit_count() == channels for channels, mask in USUAL_MASKS.items())
