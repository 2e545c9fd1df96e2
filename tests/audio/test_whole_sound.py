"""The whole sound is read, whatever the header says of its length."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio import mp3_frames
from tunesmith.audio.decoder import Decoder, LimitExceeded, SoundLimits
from tunesmith.audio.mp3_frames import frames_of
from tunesmith.audio.reader import read_audio
from tunesmith.audio.spool import Samples
from tunesmith.audio.truncation import is_truncated
from tunesmith.audio.wave_header import _new_header
from tunesmith.cli import run
from tunesmith.errors import AudioFileError

RATE, COUNT = 44_100, 30_000
NOISE = np.random.default_rng(5).normal(0, 0.1, (COUNT, 2)).astype(np.float32)


def encoded(container: str, subtype: str | None = None, rate: int = RATE, samples: Samples = NOISE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def count_of(content: bytes, tmp_path: Path) -> int:
    path = tmp_path / "sound"
    path.write_bytes(content)
    return read_audio(path).num_samples


def with_bytes(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + value + content[at + len(value) :]


def test_every_link_of_a_chained_file_is_read(tmp_path: Path) -> None:
    vorbis, opus = encoded("OGG", "VORBIS"), encoded("OGG", "OPUS", 48_000)
    assert count_of(vorbis * 3, tmp_path) == 3 * COUNT
    assert count_of(opus * 2, tmp_path) == 2 * COUNT
    assert count_of(vorbis + opus, tmp_path) == COUNT + round(COUNT * RATE / 48_000 + 0.5)


def test_links_of_other_rates_and_mono_ones_are_brought_to_the_first_ones(tmp_path: Path) -> None:
    at = np.arange(48_000) / 48_000
    high: Samples = np.asarray(np.sin(2 * np.pi * 1000 * at) * 0.5, np.float32)
    chained = encoded("OGG", "VORBIS") + encoded("OGG", "VORBIS", 48_000, high[:, None])
    (tmp_path / "a.ogg").write_bytes(chained)
    audio = read_audio(tmp_path / "a.ogg")
    assert (audio.channels, audio.sample_rate, audio.num_samples) == (2, RATE, COUNT + RATE)
    tone = audio.samples[:, -RATE // 2 :]
    assert np.array_equal(tone[0], tone[1])
    assert np.abs(np.fft.rfft(tone[0])).argmax() == 500  # 1 kHz in half a second


def test_links_that_cannot_be_joined_are_refused_in_one_line(tmp_path: Path) -> None:
    three = encoded("OGG", "VORBIS", RATE, np.repeat(NOISE[:, :1], 3, axis=1))
    (tmp_path / "a.ogg").write_bytes(encoded("OGG", "VORBIS") + three)
    with pytest.raises(AudioFileError, match=r"cannot read .*a.ogg: its parts have 2 and 3 channels"):
        read_audio(tmp_path / "a.ogg")


@pytest.mark.parametrize("total", [0, 1, COUNT // 2, COUNT, COUNT + 1, (1 << 36) - 1])
def test_flac_with_any_total_is_read_to_its_end(tmp_path: Path, total: int) -> None:
    content = encoded("FLAC")
    bits = int.from_bytes(content[18:26], "big") >> 36 << 36 | total
    path = tmp_path / "a.flac"
    path.write_bytes(with_bytes(content, 18, bits.to_bytes(8, "big")))
    assert read_audio(path).num_samples == COUNT
    assert is_truncated(path, COUNT) == (total > COUNT)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 4, 1_000, 10**8])
@pytest.mark.parametrize("riff_size", [None, 0, 0xFFFFFFFF])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_wav_with_any_size_is_read_to_its_end(tmp_path: Path, size: int, riff_size: int | None, subtype: str) -> None:
    content = encoded("WAV", subtype)
    content = with_bytes(content, content.index(b"data") + 4, struct.pack("<I", size))
    if riff_size is not None:
        content = with_bytes(content, 4, struct.pack("<I", riff_size))
    assert count_of(content, tmp_path) == COUNT


def test_samples_are_not_taken_for_chunks_with_tags(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sound = bytes(200) + b"LIST\x10\0\0\0INFOIART\x04\0\0\0Bob\0" + bytes(200)
    head = encoded("WAV", samples=NOISE[:0])
    path = tmp_path / "a.wav"
    path.write_bytes(head[:40] + bytes(4) + sound)
    assert run(["convert", str(path), "-o", str(tmp_path / "b.flac")]) == 0
    assert capfd.readouterr().err == ""
    assert "Bob" not in str(read_audio(path).metadata)


@pytest.mark.parametrize("behind", [
    b"LIST\x04\0\0\0INFO", b"zzzz\x02\0\0\0ab", b"ID3\x04\0\0\0\0\0\x10" + bytes(16), b"TAG" + b"x" * 125, bytes(500),
    b"LIST\xff\xff\0\0INFOIART",
])  # fmt: skip
@pytest.mark.parametrize("count", [COUNT, 0])
def test_what_follows_the_samples_of_a_wav_is_not_taken_for_sound(tmp_path: Path, behind: bytes, count: int) -> None:
    content = encoded("WAV", "PCM_16", RATE, NOISE[:count])
    assert count_of(bytes(content + behind), tmp_path) == count


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
@pytest.mark.parametrize("sizes", [None, 0, 1_000, 1 << 40])
def test_rf64_and_bw64_are_read_to_their_end(tmp_path: Path, name: bytes, sizes: int | None) -> None:
    content = with_bytes(encoded("RF64", "PCM_24"), 0, name)
    if sizes is not None:
        content = with_bytes(content, 28, struct.pack("<Q", sizes))
    assert count_of(content, tmp_path) == COUNT
    assert read_audio(tmp_path / "sound").sample_format.bits == 24


def test_a_wav_of_unknown_size_past_4_gb_gets_a_header_with_64_bits() -> None:
    form = bytes(encoded("WAV")[20:36])
    header = _new_header(form, COUNT * 4, largest=1_000)
    assert header[:4] == b"RF64"
    with Decoder(io.BytesIO(header + bytes(encoded("WAV")[44:]))) as sound:
        assert sum(block.shape[1] for block in sound.blocks()) == COUNT


def mp3_with(change: Callable[[bytes, int], bytes]) -> bytes:
    content = encoded("MP3")
    return bytes(change(content, content.index(b"Xing")))


@pytest.mark.parametrize("change", [
    lambda content, at: with_bytes(content, at, bytes(4)),
    *(lambda content, at, n=n: with_bytes(content, at + 8, n.to_bytes(4, "big")) for n in (0, 1, 10, 500)),
    lambda content, at: with_bytes(content, at + 4, bytes(4)),
])  # fmt: skip
def test_an_mp3_without_a_count_of_its_frames_or_a_wrong_one_is_read_to_its_end(
    tmp_path: Path, change: Callable[[bytes, int], bytes]
) -> None:
    assert COUNT <= count_of(mp3_with(change), tmp_path) <= COUNT + 4 * 1152


def test_a_wrong_size_in_an_mp3_is_not_complained_of(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for size in (0, 10, 10**6):
        content = encoded("MP3")
        content = with_bytes(content, content.index(b"Xing") + 12, size.to_bytes(4, "big"))
        assert count_of(content, tmp_path) == COUNT
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("container", ["WAV", "RF64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"])
def test_a_file_cut_off_anywhere_is_read_or_refused_in_one_line(tmp_path: Path, container: str) -> None:
    content = encoded(container, samples=NOISE[:2_000])
    path = tmp_path / "sound"
    for size in [*range(0, 160, 7), *range(160, len(content), max(1, len(content) // 16))]:
        path.write_bytes(content[:size])
        problem = None
        try:
            audio = read_audio(path)
            is_truncated(path, audio.num_samples)
        except AudioFileError as error:
            problem = str(error)
        assert "\n" not in problem if problem else audio.num_samples <= 2_000 + 4 * 1152


def test_joined_mp3s_are_read_to_their_end_over_what_lies_between(tmp_path: Path) -> None:
    one = bytes(encoded("MP3"))
    for between in (b"", b"ID3\x04\0\0\0\0\0\x20" + bytes(32), b"TAG" + b"\xff\xfb\x90" * 41):
        assert 2 * COUNT <= count_of(one + between + one, tmp_path) <= 2 * COUNT + 6 * 1152


def test_an_mp3_of_very_many_frames_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp3_frames, "MOST_FRAMES", 5)
    without = mp3_with(lambda content, at: with_bytes(content, at, bytes(4)))
    assert COUNT <= count_of(without, tmp_path) <= COUNT + 4 * 1152


def test_bytes_that_only_look_like_frames_are_not_looked_at_for_long() -> None:
    assert list(frames_of(b"\xff\xfb\x90\x00" * 200_000 + bytes(encoded("MP3")))) == []


def test_too_many_parts_are_refused_before_they_are_opened(tmp_path: Path) -> None:
    tiny = encoded("OGG", "VORBIS", RATE, NOISE[:64])
    path = tmp_path / "a.ogg"
    path.write_bytes(tiny * 1_001)
    with pytest.raises(AudioFileError, match="it has 1001 parts; at most 1000 are read"):
        read_audio(path)


def test_a_right_mp3_keeps_its_length_to_the_sample(tmp_path: Path) -> None:
    content = bytes(encoded("MP3"))
    assert count_of(content, tmp_path) == COUNT
    assert sum(frame.size for frame in frames_of(content)) == len(content)


@pytest.mark.parametrize(("container", "name", "order"), [("AIFF", b"SSND", ">I"), ("CAF", b"data", ">q")])
@pytest.mark.parametrize("size", [-1, 0, 8, 1_004, 10**8])
def test_aiff_and_caf_with_any_size_are_read_to_their_end(
    tmp_path: Path, container: str, name: bytes, order: str, size: int
) -> None:
    content = encoded(container, "PCM_16")
    value = struct.pack(order, size if order == ">q" else size & 0xFFFFFFFF)
    assert count_of(with_bytes(content, content.index(name) + 4, value), tmp_path) == COUNT


@pytest.mark.parametrize("size", [0, 100, 10**8, 0xFFFFFFFF])
def test_au_with_any_size_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    assert count_of(with_bytes(encoded("AU", "PCM_16"), 8, struct.pack(">I", size)), tmp_path) == COUNT


@pytest.mark.parametrize("container", ["WAV", "RF64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64"])
def test_a_whole_file_keeps_its_length_and_is_not_cut_off(tmp_path: Path, container: str) -> None:
    assert count_of(encoded(container), tmp_path) == COUNT
    assert not is_truncated(tmp_path / "sound", COUNT)


def test_reading_stops_at_the_limit_whatever_the_header_says() -> None:
    content = encoded("FLAC", None, RATE, np.zeros((100 * RATE, 1), np.float32))
    bits = int.from_bytes(content[18:26], "big") >> 36 << 36 | 100
    with Decoder(io.BytesIO(with_bytes(content, 18, bits.to_bytes(8, "big"))), SoundLimits(seconds=2)) as sound:
        blocks = sound.blocks()
        with pytest.raises(LimitExceeded, match="must be at most 2 s long"):
            next(blocks)


@pytest.mark.parametrize(("rate", "channels", "problem"), [
    (1, 1, "must have a sample rate of 1000 to 192000 Hz, got 1"), (999, 1, "got 999"), (192_001, 1, "got 192001"),
    (RATE, 65, "must have at most 64 channels, got 65"), (RATE, 1_024, "got 1024"),
])  # fmt: skip
def test_rates_and_channels_no_sound_has_are_refused_in_one_line(
    tmp_path: Path, rate: int, channels: int, problem: str
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((8, channels)), rate)
    with pytest.raises(AudioFileError, match=rf"cannot read .*a.wav: it must have .*{problem[-8:]}$"):
        read_audio(tmp_path / "a.wav")
