"""Sound files through AudioCraft's functions: levels, formats, positions, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from lazy_modules import LazyModule

from tunesmith.audiocraft.data.audio import audio_info, audio_read, audio_write, convert_audio
from tunesmith.audiocraft.data.audio_utils import (
    convert_audio_channels,
    f32_pcm,
    i16_pcm,
    normalize_audio,
    normalize_loudness,
)
from tunesmith.audiocraft.errors import ArgumentError, UnsupportedUse
from tunesmith.errors import AudioFileError

if TYPE_CHECKING:
    import pyloudnorm
    import torch
else:
    pyloudnorm = LazyModule("pyloudnorm")
    torch = LazyModule("torch")

RATE = 32_000


def noise(seconds: float = 1.0, channels: int = 1, level: float = 0.1) -> torch.Tensor:
    samples = np.random.default_rng(4).standard_normal((channels, int(seconds * RATE)))
    return torch.from_numpy(level * samples).float()


def written(path: Path) -> np.ndarray[Any, Any]:
    samples, _ = soundfile.read(path, always_2d=True)
    return samples.T  # type: ignore[no-any-return]


def test_peak_is_a_decibel_below_full_scale_and_silence_stays_silent(tmp_path: Path) -> None:
    path = audio_write(tmp_path / "new" / "a", noise(channels=2), RATE)
    assert path == tmp_path / "new" / "a.wav"
    assert (soundfile.info(path).subtype, soundfile.info(path).samplerate) == ("PCM_16", RATE)
    assert np.abs(written(path)).max() == pytest.approx(10 ** (-1 / 20), abs=2**-15)
    quiet = audio_write(tmp_path / "b", noise(), RATE, normalize=False, add_suffix=False)
    assert quiet.name == "b"
    np.testing.assert_allclose(written(quiet), noise().numpy(), atol=2**-16)
    assert not written(audio_write(tmp_path / "c", torch.zeros(800), RATE)).any()


def test_clip_and_rms_and_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loud = noise(level=0.8)
    clipped = written(audio_write(tmp_path / "clip", loud, RATE, strategy="clip", peak_clip_headroom_db=6))
    np.testing.assert_allclose(clipped, loud.numpy().clip(-(10**-0.3), 10**-0.3), atol=2**-15)
    rms = written(audio_write(tmp_path / "rms", loud, RATE, strategy="rms", rms_headroom_db=10))
    assert 20 * np.log10(np.sqrt(np.mean(rms**2))) == pytest.approx(-10, abs=0.02)
    assert "clipping in" in capsys.readouterr().err
    normalize_audio(loud, strategy="rms", rms_headroom_db=3, log_clipping=False)
    assert capsys.readouterr().err == ""
    assert torch.equal(normalize_audio(noise(), strategy="none"), noise())
    with pytest.raises(AssertionError, match="wav: must stay below full scale without a strategy"):
        normalize_audio(loud, strategy="")


@pytest.mark.parametrize("compressor", [False, True])
def test_loudness_is_that_of_the_standard(tmp_path: Path, compressor: bool) -> None:
    path = audio_write(
        tmp_path / "a", noise(2, channels=2), RATE, strategy="loudness", loudness_headroom_db=16,
        loudness_compressor=compressor,
    )  # fmt: skip
    levelled = pyloudnorm.Meter(RATE).integrated_loudness(written(path).T)
    # The compressor rounds peaks off after the level is set, as in AudioCraft.
    assert levelled == pytest.approx(-16, abs=1.0 if compressor else 0.2)
    assert torch.equal(normalize_loudness(noise(level=1e-3), RATE), noise(level=1e-3))
    with pytest.raises(ArgumentError, match="sample_rate: is needed for the strategy 'loudness'"):
        normalize_audio(noise(), strategy="loudness")


def test_every_format_has_its_coding_and_its_bit_rate(tmp_path: Path) -> None:
    wav = noise(4)
    flac = audio_write(tmp_path / "a", wav, RATE, format="flac")
    assert soundfile.info(flac).subtype == "PCM_24"
    sizes = {
        rate: audio_write(tmp_path / f"m{rate}", wav, RATE, format="mp3", mp3_rate=rate).stat().st_size
        for rate in (64, 128, 320)
    }
    assert all(size == pytest.approx(rate * 125 * 4, rel=0.05) for rate, size in sizes.items())
    ogg = audio_write(tmp_path / "o", wav, RATE, format="ogg")
    assert soundfile.info(ogg).subtype == "VORBIS"
    smaller = audio_write(tmp_path / "o48", wav, RATE, format="ogg", ogg_rate=48)
    assert smaller.stat().st_size == pytest.approx(48 * 125 * 4, rel=0.15)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.flac",
        "m128.mp3",
        "m320.mp3",
        "m64.mp3",
        "o.ogg",
        "o48.ogg",
    ]


def test_a_file_is_read_from_where_and_as_long_as_asked(tmp_path: Path) -> None:
    wav = noise(1.5, channels=2)
    path = audio_write(tmp_path / "a", wav, RATE, strategy="none")
    whole, rate = audio_read(path)
    assert (whole.dtype, rate) == (torch.float32, RATE)
    torch.testing.assert_close(whole, wav, atol=2**-15, rtol=0)
    part, _ = audio_read(str(path), seek_time=0.5, duration=0.25)
    assert torch.equal(part, whole[:, 16_000:24_000])
    padded, _ = audio_read(path, seek_time=1.0, duration=2, pad=True)
    assert padded.shape == (2, 64_000)
    assert torch.equal(padded[:, :16_000], whole[:, 32_000:])
    assert not padded[:, 16_000:].any()
    assert audio_read(path, 1.0, 2)[0].shape == (2, 16_000)
    about = audio_info(path)
    assert (about.sample_rate, about.duration, about.channels) == (RATE, 1.5, 2)


def test_rates_and_channels_are_converted() -> None:
    tone = 0.5 * torch.sin(2 * math.pi * 440 * torch.arange(44_101) / 44_100)
    out = convert_audio(tone.expand(3, 2, -1), 44_100, 16_000, 1)
    assert out.shape == (3, 1, 16_000)
    wanted = 0.5 * np.sin(2 * math.pi * 440 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(out[1, 0, 200:-200], wanted[200:-200], atol=1e-3)
    assert convert_audio_channels(noise(0.1)[None], 2).shape == (1, 2, 3_200)
    assert torch.equal(convert_audio_channels(noise(0.1, 3), 2), noise(0.1, 3)[:2])
    with pytest.raises(ValueError, match="wav: must have 1 channel or at least 4, got 2"):
        convert_audio_channels(noise(0.1, 2), 4)


def test_integers_become_samples_and_samples_integers() -> None:
    sixteen = torch.tensor([[-(2**15), 0, 2**14]], dtype=torch.int16)
    assert f32_pcm(sixteen).tolist() == [[-1.0, 0.0, 0.5]]
    assert f32_pcm(torch.tensor([[2**30]], dtype=torch.int32)).tolist() == [[0.5]]
    assert torch.equal(i16_pcm(f32_pcm(sixteen)), sixteen)
    assert i16_pcm(torch.tensor([1.0, -1.0])).tolist() == [32_767, -32_767]
    with pytest.raises(ValueError, match="wav: must have samples of float, int16 or int32, got int64"):
        f32_pcm(torch.zeros(1, 1, dtype=torch.long))


@pytest.mark.parametrize(
    ("wav", "options", "error", "words"),
    [
        (lambda: torch.zeros(1, 1, 8), {}, ValueError, r"wav: must have 1 or 2 dimensions, got the shape \(1, 1, 8\)"),
        (
            lambda: torch.zeros(1, 8, dtype=torch.int16),
            {},
            AssertionError,
            "wav: must have floating-point samples, got int16",
        ),
        (lambda: torch.full((1, 8), math.inf), {}, AssertionError, "wav: has samples that are NaN or infinite"),
        (lambda: torch.zeros(1, 8), {"strategy": "loud"}, AssertionError, "strategy: must be peak, .*, got 'loud'"),
        (
            lambda: torch.zeros(1, 8),
            {"format": "aac"},
            RuntimeError,
            "format: must be one of wav, mp3, ogg, flac, got 'aac'",
        ),
        (lambda: [0.0], {}, ArgumentError, "wav: must be a tensor or an array, got list"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(
    tmp_path: Path, wav: Callable[[], Any], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        audio_write(tmp_path / "a", wav(), RATE, **options)
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.wav"):
        audio_read(tmp_path / "none.wav")
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(AudioFileError, match="cannot read"):
        audio_read(tmp_path / "text.wav")
    path = audio_write(tmp_path / "a", noise(0.5), RATE)
    with pytest.raises(AssertionError, match=r"seek_time: must lie in the 0\.5 s of"):
        audio_read(path, seek_time=1)
    assert issubclass(UnsupportedUse, RuntimeError)
