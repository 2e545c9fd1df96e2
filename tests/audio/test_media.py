"""Files from phones and browsers, through the FFmpeg program."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import psutil
import pytest
import soundfile
from small_disk import small_disk

from tunesmith.audio import media
from tunesmith.audio.decode_check import check_sound
from tunesmith.audio.decoder import Decoder, LimitExceeded, SoundLimits
from tunesmith.audio.media import media_kind
from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.cli import run
from tunesmith.errors import AudioFileError, DiskFull, InvalidRequest
from tunesmith.hosted.audio_response import read_sound
from tunesmith.server.remote_audio import RemoteAudioFetcher
from tunesmith.server.ssrf_guard import AddressGuard

RATE = 48_000
TONE = np.asarray(0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE), np.float32)
AMR = b"#!AMR\n" + (b"\x3c" + bytes(range(31))) * 50
"""A second of noise: 50 frames of 20 ms at 12.2 kbit/s."""


def encode(path: Path, *options: str, subtype: str = "PCM_16") -> Path:
    source = path.parent / "source.wav"
    soundfile.write(source, np.stack([TONE, TONE], axis=1), RATE, subtype=subtype)
    program = imageio_ffmpeg.get_ffmpeg_exe()
    tags = ["-metadata", "title=Café=1;\\x", "-metadata", "artist=Ann"]
    subprocess.run([program, "-v", "error", "-i", str(source), *options, *tags, str(path)], check=True)
    return path


@pytest.fixture(autouse=True)
def _ffmpeg_on_the_path(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("bin")
    program = folder / ("ffmpeg.exe" if os.name == "nt" else "ffmpeg")
    if os.name == "nt":
        shutil.copy(imageio_ffmpeg.get_ffmpeg_exe(), program)
    else:
        program.symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture(scope="module")
def m4a(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("media") / "a.m4a", "-c:a", "aac")


@pytest.mark.parametrize(("name", "options"), [
    ("a.webm", ("-c:a", "libopus")), ("a.3gp", ("-c:a", "aac")), ("a.aac", ()), ("a.wma", ("-c:a", "wmav2")),
])  # fmt: skip
def test_what_phones_and_browsers_record_is_read(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    audio = read_audio(encode(tmp_path / name, *options))
    assert (audio.sample_rate, audio.channels) == (RATE, 2)
    assert audio.duration == pytest.approx(2.0, abs=0.06)
    middle = audio.samples[0, RATE // 2 : RATE // 2 + RATE]
    assert np.abs(np.fft.rfft(middle)).argmax() == 440
    assert np.std(middle) == pytest.approx(0.3 / 2**0.5, rel=0.03)


def test_an_m4a_has_its_length_and_its_tags(m4a: Path) -> None:
    assert read_audio(m4a).num_samples == 2 * RATE
    said = read_metadata(m4a)
    assert said["tags"] == {"title": ["Café=1;\\x"], "artist": ["Ann"]}


def test_tags_that_only_ffmpeg_reads_are_kept(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.webm", "-c:a", "libopus")
    assert read_metadata(path)["tags"]["title"] == ["Café=1;\\x"]


def test_amr_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.amr").write_bytes(AMR)
    audio = read_audio(tmp_path / "a.amr")
    assert (audio.sample_rate, audio.channels, audio.num_samples) == (8_000, 1, 8_000)


@pytest.mark.parametrize(("subtype", "sample_format", "bits"), [("PCM_16", "s16p", 16), ("PCM_24", "s32p", 24)])
def test_lossless_media_keep_their_depth_and_every_bit(
    tmp_path: Path, subtype: str, sample_format: str, bits: int
) -> None:
    path = encode(tmp_path / "a.m4a", "-c:a", "alac", "-sample_fmt", sample_format, subtype=subtype)
    audio = read_audio(path)
    assert audio.sample_format.bits == bits
    back = audio.save(tmp_path / "b.flac")
    assert np.array_equal(
        soundfile.read(back, dtype="int32")[0], soundfile.read(tmp_path / "source.wav", dtype="int32")[0]
    )


def test_the_command_line_takes_them(m4a: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", str(m4a), "-o", str(tmp_path / "b.wav")]) == 0
    assert capfd.readouterr().err == ""
    assert soundfile.info(tmp_path / "b.wav").frames == 2 * RATE


def test_uploads_data_addresses_and_hosted_answers_take_them(m4a: Path) -> None:
    content = m4a.read_bytes()
    check_sound(content, "audio", 3)
    assert read_sound(content).duration == 2.0
    address = "data:audio/mp4;base64," + base64.b64encode(content).decode()
    assert asyncio.run(RemoteAudioFetcher(AddressGuard(False)).fetch(address, "input_audio")) == content


def test_they_are_bounded_as_all_are(m4a: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"^audio: must be at most 1 s long"):
        check_sound(m4a.read_bytes(), "audio", 1)
    with Decoder(io.BytesIO(m4a.read_bytes()), SoundLimits(seconds=1)) as sound, pytest.raises(LimitExceeded):
        list(sound.blocks())
    many = encode(tmp_path / "a.mka", "-c:a", "pcm_s16le", "-ac", "16")
    with pytest.raises(InvalidRequest, match=r"^audio: must have at most 8 channels, got 16$"):
        check_sound(many.read_bytes(), "audio", 5)


def test_a_full_temporary_folder_is_told_without_its_place_and_nothing_is_left(
    m4a: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
        with pytest.raises(DiskFull, match=r"^the disk is full: the recording could not be stored$"):
            check_sound(m4a.read_bytes(), "audio", 3)
        assert disk.files("") == []


@pytest.mark.parametrize("change", [
    lambda content: content[:1_000], lambda content: content[: len(content) // 2],
    lambda content: content[:40] + bytes(len(content) - 40), lambda content: content[:16],
])  # fmt: skip
def test_a_damaged_one_is_one_line(m4a: Path, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(change(m4a.read_bytes()))
    with pytest.raises(AudioFileError) as caught:
        read_audio(path)
    assert str(caught.value).startswith(f"cannot read {path}: it is damaged or cut off (")
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidRequest, match=r"^audio: is not a readable audio file"):
        check_sound(path.read_bytes(), "audio", 5)


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    film = ("-f", "lavfi", "-i", "color=s=16x16:d=1", "-map", "1", "-c:v", "mpeg4")
    with pytest.raises(AudioFileError, match=r"a.mp4: it contains no audio$"):
        read_audio(encode(tmp_path / "a.mp4", *film))


def test_without_ffmpeg_the_line_says_what_to_install(m4a: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "find_program", lambda: None)
    problem = "M4A, MP4, MOV or 3GP, which needs FFmpeg: install ffmpeg and put it on the PATH$"
    with pytest.raises(AudioFileError, match=rf"cannot read .*a.m4a: it is {problem}"):
        read_audio(m4a)
    with pytest.raises(InvalidRequest, match=rf"^audio: .*{problem}"):
        check_sound(m4a.read_bytes(), "audio", 5)


def test_a_decoder_that_stalls_is_ended(m4a: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = tmp_path / "ffmpeg"
    sleeper.write_text(f"#!{sys.executable}\nimport time; time.sleep(60)\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(media, "find_program", lambda: str(sleeper))
    monkeypatch.setattr(media, "STALLED_SECONDS", 0.05)
    with pytest.raises(AudioFileError, match="its decoder stalls"):
        read_audio(m4a)


def test_no_process_and_no_copy_stays_behind(m4a: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for limit in (1, 5):
        with pytest.raises(InvalidRequest) if limit == 1 else pytest.MonkeyPatch.context():
            check_sound(m4a.read_bytes(), "audio", limit)
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    assert not [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


@pytest.mark.parametrize(("start", "kind"), [
    (b"\0\0\0\x18ftypM4A ", "mov"), (b"\0\0\0\x08wide\0\0\0\0", "mov"), (b"\x1aE\xdf\xa3", "matroska"),
    (b"#!AMR-WB\n", "amr"), (b"\xff\xf1\x50\x80", "aac"), (b"\xff\xfb\x90\x64", None), (b"RIFF", None), (b"", None),
    (b"OggS", None), (b"\xff", None), (b"#EXTM3U\n#EXT", None), (b"ffconcat vers", None),
])  # fmt: skip
def test_only_kinds_that_are_known_by_their_first_bytes_reach_ffmpeg(start: bytes, kind: str | None) -> None:
    found = media_kind(start)
    assert (found.demuxer if found else None) == kind
