"""Files: what is written comes back, whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio import Audio, Spool, writer
from tunesmith.audio.reader import read_audio, read_metadata
from tunesmith.audio.spool import Samples
from tunesmith.audio.writer import check_writable, to_int16, write_audio, write_stream, write_with_notices
from tunesmith.errors import AudioFileError, InvalidRequest

METADATA = {"title": "Café 雨", "prompt": "lofi ü " * 200, "seed": 7, "model": "composer", "licence": "CC0-1.0",
            "settings": {"duration": 3.5, "instruments": ["piano"]}}  # fmt: skip


def tone(seconds: float = 1.0, rate: int = 44100) -> Audio:
    at = np.arange(round(seconds * rate)) / rate
    samples = np.stack([0.5 * np.sin(2 * np.pi * 440 * at), 0.4 * np.sin(2 * np.pi * 660 * at)]).astype(np.float32)
    return Audio(samples, rate, METADATA)


@pytest.mark.parametrize(("suffix", "bits", "error"), [
    (".wav", 16, 2 / 32768), (".wav", 24, 1e-6), (".wav", 32, 0), (".flac", 16, 2 / 32768), (".flac", 24, 1e-6),
])  # fmt: skip
def test_a_lossless_file_gives_the_samples_back(tmp_path: Path, suffix: str, bits: int, error: float) -> None:
    audio = tone()
    back = read_audio(audio.save(tmp_path / f"a{suffix}", bits=bits))
    assert back.sample_rate == 44100
    assert np.abs(back.samples - audio.samples).max() <= error


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".opus"])
def test_a_lossy_file_gives_the_sound_back_at_its_length(tmp_path: Path, suffix: str) -> None:
    audio = tone(2.0, 48000)
    back = read_audio(audio.save(tmp_path / f"a{suffix}"))
    assert back.num_samples == audio.num_samples
    assert np.corrcoef(back.samples[0], audio.samples[0])[0, 1] > 0.99


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".opus"])
def test_every_format_keeps_all_the_metadata(tmp_path: Path, suffix: str) -> None:
    path = tone().save(tmp_path / f"a{suffix}")
    assert read_metadata(path) == METADATA
    assert read_audio(path).metadata == METADATA


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg", ".opus"])
def test_other_readers_see_the_sound_behind_the_tags(tmp_path: Path, suffix: str) -> None:
    path = tone(2.0).save(tmp_path / f"a{suffix}")
    with soundfile.SoundFile(str(path)) as file:
        assert file.copy_metadata()["title"]
        assert abs(len(file) / file.samplerate - 2.0) < 1e-4
        assert file.read()[:, 0].std() == pytest.approx(0.5 / 2**0.5, abs=0.02)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3"])
def test_same_audio_gives_same_bytes(tmp_path: Path, suffix: str) -> None:
    first, second = (tone().save(tmp_path / f"{name}{suffix}") for name in "ab")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(("suffix", "rate", "kept"), [
    (".opus", 44100, 48000), (".opus", 22050, 24000), (".mp3", 96000, 48000), (".mp3", 22050, 22050),
    (".ogg", 88200, 88200),
])  # fmt: skip
def test_rates_a_format_lacks_are_resampled(tmp_path: Path, suffix: str, rate: int, kept: int) -> None:
    path = tone(1.0, rate).save(tmp_path / f"a{suffix}")
    assert soundfile.info(str(path)).samplerate == kept
    assert read_audio(path).duration == pytest.approx(1.0, abs=1e-4)


def test_a_long_vorbis_file_is_written_in_blocks(tmp_path: Path) -> None:
    spool = Spool(2)
    for _ in range(60):
        spool.append(tone().samples)
    assert read_audio(Audio(spool, 44100).save(tmp_path / "a.ogg")).duration == 60


def test_an_audio_of_no_length_is_a_file_all_the_same(tmp_path: Path) -> None:
    assert read_audio(Audio(np.zeros((2, 0), np.float32), 44100).save(tmp_path / "a.wav")).num_samples == 0


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_a_wav_too_large_for_its_sizes_has_those_of_rf64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    small = tone().save(tmp_path / "small.wav", bits=bits)
    monkeypatch.setattr(writer, "LARGEST_WAV", 44_100 * 2 * bits // 8 - 1)
    large = tone().save(tmp_path / "large.wav", bits=bits)
    assert (small.read_bytes()[:4], large.read_bytes()[:4]) == (b"RIFF", b"RF64")
    assert np.array_equal(soundfile.read(large)[0], soundfile.read(small)[0])
    assert int.from_bytes(large.read_bytes()[20:28], "little") == large.stat().st_size - 8
    back = read_audio(large)
    assert (back.metadata, back.num_samples) == (read_audio(small).metadata, 44_100)


def test_standard_output_gets_the_same_bytes_as_a_file(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

    stream = Pipe()
    write_stream(tone(), stream)
    assert stream.getvalue() == tone().save(tmp_path / "a.wav").read_bytes()


@pytest.mark.parametrize("name", ["a.xyz", "a", "wav"])
def test_an_unknown_suffix_names_those_that_can_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"output: the suffix must be one of \.wav, \.flac, .*got"):
        tone().save(tmp_path / name)


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="there is no folder"):
        check_writable(tmp_path / "none" / "a.wav")
    (tmp_path / "b.wav").mkdir()
    with pytest.raises(AudioFileError, match="it is a folder"):
        check_writable(tmp_path / "b.wav")


def test_a_link_stays_a_link_and_a_read_only_file_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link.wav"
    try:
        link.symlink_to(tmp_path / "folder" / "real.wav")
    except OSError:  # Windows, without the right to make links
        link = tmp_path / "folder" / "real.wav"
    path = tone().save(link)
    assert path == link
    assert read_audio(tmp_path / "folder" / "real.wav").duration == 1.0
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["real.wav"]
    (tmp_path / "kept.wav").write_bytes(b"old")
    (tmp_path / "kept.wav").chmod(0o444)
    with pytest.raises(AudioFileError, match="it is read-only"):
        tone().save(tmp_path / "kept.wav")
    assert (tmp_path / "kept.wav").read_bytes() == b"old"
    (tmp_path / "kept.wav").chmod(0o644)


class Broken(Audio):
    def __init__(self, error: BaseException) -> None:
        super().__init__(np.zeros((2, 100), np.float32), 44100)
        self.error = error

    def blocks(self, size: int = 65536) -> Iterator[Samples]:
        yield from super().blocks(size)
        raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device"), ValueError("x")])
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".ogg"])
def test_an_error_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"old")
    with pytest.raises((type(error), AudioFileError)):
        write_audio(Broken(error), path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


def test_a_file_is_on_the_disk_before_it_takes_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced, sync = tmp_path / "a.wav", [], os.fsync

    def record(handle: int) -> None:
        synced.append((os.fstat(handle).st_size, path.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", record)
    write_audio(tone(0.1), path)
    assert synced == [(path.stat().st_size, False)]


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".ogg"])
def test_who_syncs_files_later_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    whole, flush, waits = tone(0.1).save(tmp_path / f"whole{suffix}").read_bytes(), soundfile.SoundFile.flush, []

    def note_flush(file: soundfile.SoundFile) -> None:
        # libsndfile syncs here what it has written.
        waits.extend([file.name] if file.mode != "r" else [])
        flush(file)

    monkeypatch.setattr(soundfile.SoundFile, "flush", note_flush)
    monkeypatch.setattr(os, "fsync", waits.append)
    path, _ = write_with_notices(tone(0.1), tmp_path / f"a{suffix}", bits=16 if suffix in (".wav", ".flac") else None)
    assert path.read_bytes() == whole
    assert not waits


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="file not found"):
        read_audio(tmp_path / "none.wav")
    (tmp_path / "a.wav").write_bytes(b"this is no sound")
    with pytest.raises(AudioFileError, match=r"cannot read .*a\.wav"):
        read_audio(tmp_path / "a.wav")


def test_dither_keeps_what_is_below_one_step_and_leaves_silence_silent() -> None:
    random = np.random.default_rng(1)
    faint = np.full((200_000, 1), 0.3 / 32768, np.float32)
    assert to_int16(faint, random).mean() == pytest.approx(0.3, abs=0.02)
    assert not to_int16(np.zeros((100, 2), np.float32), random).any()
    assert to_int16(np.full((10, 1), 2.0, np.float32), random).max() == 32767


def test_a_wav_of_floats_does_not_hold_the_time_at_which_it_was_written(tmp_path: Path) -> None:
    content = write_audio(tone(), tmp_path / "a.wav", bits=32).read_bytes()
    chunk = content.index(b"PEAK")
    assert content[chunk + 12 : chunk + 16] == bytes(4)
