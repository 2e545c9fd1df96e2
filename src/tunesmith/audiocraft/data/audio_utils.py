"""Conversion and normalization of audio, as ``audiocraft.data.audio_utils`` has them."""

from __future__ import annotations

import sys
from math import prod

import numpy as np
from numpy.typing import NDArray

from tunesmith.audiocraft.arrays import Tensor, to_array, to_samples, to_tensor
from tunesmith.audiocraft.errors import ArgumentError

Samples = NDArray[np.float32]
HIGHEST_RATE = 10_000_000
FLOOR_RMS = 2e-3
"""The root mean square below which loudness is left alone: noise must not become loud."""


def convert_audio(wav: Tensor, from_rate: float, to_rate: float, to_channels: int) -> Tensor:
    """Convert audio (…, channels, samples) to another sample rate and number of channels.

    The length is samples x to_rate / from_rate, rounded down. Raises ArgumentError.
    """
    return to_tensor(converted(to_samples(wav, "wav"), from_rate, to_rate, to_channels))


def converted(wav: Samples, from_rate: float, to_rate: float, to_channels: int) -> Samples:
    """Do the same with plain arrays."""
    if wav.ndim < 2:
        raise ArgumentError("wav", f"must have the shape (…, channels, samples), got {wav.shape}")
    for field, rate in (("from_rate", from_rate), ("to_rate", to_rate)):
        check_rate(field, rate)
    return with_channel_count(_resampled(wav, int(from_rate), int(to_rate)), to_channels)


def check_rate(field: str, rate: object) -> None:
    """Raise ArgumentError unless this is one sample rate in Hz."""
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number) or not 1 <= rate <= HIGHEST_RATE:
        raise ArgumentError(field, f"must be a sample rate of 1 to {HIGHEST_RATE} Hz, got {rate!r}")


def _resampled(wav: Samples, from_rate: int, to_rate: int) -> Samples:
    from tunesmith.audio.resample import resample_blocks

    if from_rate == to_rate or not wav.size:
        return wav
    rows = wav.reshape(-1, wav.shape[-1])
    whole = np.concatenate(list(resample_blocks([rows], len(rows), from_rate, to_rate)), axis=1)
    return whole[:, : wav.shape[-1] * to_rate // from_rate].reshape(*wav.shape[:-1], -1)


def convert_audio_channels(wav: Tensor, channels: int = 2) -> Tensor:
    """Convert audio (…, channels, samples) to a number of channels: the mean for 1, copies of 1, else the first ones.

    Raises ArgumentError, which is a ValueError, if there are too few.
    """
    return to_tensor(with_channel_count(to_array(wav, "wav"), channels))


def with_channel_count(wav: NDArray[np.float32], channels: int) -> Samples:
    """Do the same with plain arrays."""
    *batch, count, length = wav.shape
    if count == channels:
        return wav
    if channels == 1:
        mono: Samples = wav.mean(axis=-2, keepdims=True, dtype=np.float32)
        return mono
    if count == 1:
        return np.broadcast_to(wav, (*batch, channels, length))
    if count < channels:
        raise ArgumentError("wav", f"must have 1 channel or at least {channels}, got {count}")
    return wav[..., :channels, :]


def normalize_loudness(
    wav: Tensor, sample_rate: int, loudness_headroom_db: float = 14, loudness_compressor: bool = False,
    energy_floor: float = FLOOR_RMS,
) -> Tensor:  # fmt: skip
    """Set the loudness (ITU-R BS.1770-4) of audio (channels, samples) to -``loudness_headroom_db`` LUFS.

    ``loudness_compressor`` rounds the peaks off with tanh. Audio whose RMS is below ``energy_floor`` is returned as it
    is.
    """
    samples = to_samples(wav, "wav")
    return to_tensor(at_loudness(samples, sample_rate, loudness_headroom_db, loudness_compressor, energy_floor))


def at_loudness(samples: Samples, sample_rate: int, headroom_db: float, compressor: bool, floor: float) -> Samples:
    """Do the same with plain arrays."""
    from tunesmith.audio.loudness import LoudnessMeter

    if _rms(samples) < floor:
        return samples
    meter = LoudnessMeter(sample_rate, len(samples))
    meter.add(samples)
    gain = np.float32(10 ** ((-headroom_db - meter.integrated()) / 20))
    return np.tanh(gain * samples) if compressor else gain * samples


def normalize_audio(
    wav: Tensor, normalize: bool = True, strategy: str = "peak", peak_clip_headroom_db: float = 1,
    rms_headroom_db: float = 18, loudness_headroom_db: float = 14, loudness_compressor: bool = False,
    log_clipping: bool = False, sample_rate: int | None = None, stem_name: str | None = None,
) -> Tensor:  # fmt: skip
    """Normalize audio (channels, samples) by a strategy: peak, clip, rms, loudness, or none (also "").

    Without ``normalize``, peak and rms only ever lower the level. ``log_clipping`` says on standard error what was
    clipped. Raises ArgumentError.
    """
    samples = to_samples(wav, "wav")
    if strategy == "loudness":
        if sample_rate is None:
            raise ArgumentError("sample_rate", "is needed for the strategy 'loudness', got None")
        out = at_loudness(samples, sample_rate, loudness_headroom_db, loudness_compressor, FLOOR_RMS)
    else:
        headroom_db = rms_headroom_db if strategy == "rms" else peak_clip_headroom_db
        out = _levelled(samples, normalize, strategy, np.float32(10 ** (-headroom_db / 20)))
    if strategy in ("rms", "loudness"):
        out = _clipped(out, log_clipping, stem_name)
    return to_tensor(out)


def _levelled(samples: Samples, normalize: bool, strategy: str, level: np.float32) -> Samples:
    peak = np.abs(samples).max(initial=0)
    if strategy == "clip":
        return np.clip(samples, -level, level)
    if strategy in ("peak", "rms"):
        measured = peak if strategy == "peak" else _rms(samples.mean(axis=0))
        # Silence has no level to raise; AudioCraft divides by zero there.
        gain = np.float32(level / measured) if measured > 0 else np.float32(1)
        return samples * gain if normalize or gain < 1 else samples
    if strategy not in ("", "none"):
        raise ArgumentError("strategy", f"must be peak, clip, rms, loudness or none, got {strategy!r}")
    if peak >= 1:
        raise ArgumentError("wav", f"must stay below full scale without a strategy, but its peak is {peak:g}")
    return samples


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def _clipped(samples: Samples, log_clipping: bool, stem_name: str | None) -> Samples:
    over = np.abs(samples) > 1
    if log_clipping and over.any():
        share, peak = over.mean(), np.abs(samples).max()
        what = f"clipping{f' in {stem_name}' if stem_name else ''}"
        print(f"{what}: {share:.4%} of the samples, a little does no harm; peak {peak:.3f}", file=sys.stderr)  # noqa: T201
    return np.clip(samples, -1, 1)


def f32_pcm(wav: Tensor) -> Tensor:
    """Convert 16- or 32-bit integer samples to float32 in [-1, 1); floating-point audio is returned as it is."""
    samples = to_array(wav, "wav")
    if samples.dtype.kind == "f":
        return wav
    if samples.dtype not in (np.int16, np.int32):
        raise ArgumentError("wav", f"must have samples of float, int16 or int32, got {samples.dtype}")
    return to_tensor(samples.astype(np.float32) / np.float32(2 ** (8 * samples.dtype.itemsize - 1)))


def i16_pcm(wav: Tensor) -> Tensor:
    """Convert floating-point samples in [-1, 1] to 16-bit integers; int16 is returned as it is."""
    samples = to_array(wav, "wav")
    if samples.dtype == np.int16:
        return wav
    if samples.dtype.kind != "f" or (prod(samples.shape) and np.abs(samples).max() > 1):
        raise ArgumentError("wav", f"must have floating-point samples in [-1, 1] or int16, got {samples.dtype}")
    steps = np.rint(samples * 2**15)
    # Full scale does not fit into 16 bits: then all of it is scaled by one step less.
    fits = not steps.size or steps.max() < 2**15
    return to_tensor((steps if fits else np.rint(samples * (2**15 - 1))).astype(np.int16))
