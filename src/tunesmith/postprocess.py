"""Postprocessing: converts a model's audio to the requested sample rate, channels and loudness."""

from __future__ import annotations

import math

from tunesmith.audio import Audio
from tunesmith.audio.edit import gain, to_mono
from tunesmith.audio.loudness import loudness_of
from tunesmith.audio.resample import resample
from tunesmith.audio.true_peak import true_peak_of
from tunesmith.request import GenerationRequest

CEILING_DBTP = -1.0


def wanted_rate(request: GenerationRequest, model_rate: int) -> int:
    """Return the sample rate of the result in Hz: that of the model unless the request sets one."""
    return request.sample_rate if "sample_rate" in request.model_fields_set else model_rate


def postprocess(audio: Audio, request: GenerationRequest) -> tuple[Audio, tuple[str, ...]]:
    """Return the converted audio, and warnings about targets that it misses."""
    audio = resample(audio, wanted_rate(request, audio.sample_rate))
    if request.mono and audio.channels > 1:
        audio = to_mono(audio)
    return (audio, ()) if request.loudness_lufs is None else _with_loudness(audio, request.loudness_lufs)


def _with_loudness(audio: Audio, loudness_lufs: float) -> tuple[Audio, tuple[str, ...]]:
    """Apply the gain that reaches the loudness, as far as the true peak allows; a limiter would distort."""
    measured = loudness_of(audio)
    if measured == -math.inf:
        return audio, ("loudness_lufs: the audio is silent and stays unchanged",)
    wanted, room = loudness_lufs - measured, CEILING_DBTP - true_peak_of(audio)
    reached = measured + min(wanted, room)
    short = f"loudness_lufs: {loudness_lufs:g} would clip; it is {reached:.1f} LUFS with peaks at {CEILING_DBTP:g} dBTP"
    return gain(audio, min(wanted, room)), () if wanted <= room else (short,)
