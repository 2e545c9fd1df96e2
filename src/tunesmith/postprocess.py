"""Finishing: the model's sound in the rate, channels and loudness that were asked for."""

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
    """Return the result's sample rate: the model's own, where the request names none."""
    return request.sample_rate if "sample_rate" in request.model_fields_set else model_rate


def postprocess(audio: Audio, request: GenerationRequest) -> tuple[Audio, tuple[str, ...]]:
    """Return the sound as asked for, and warnings about what could not be."""
    audio = resample(audio, wanted_rate(request, audio.sample_rate))
    if request.mono and audio.channels > 1:
        audio = to_mono(audio)
    return (audio, ()) if request.loudness_lufs is None else _with_loudness(audio, request.loudness_lufs)


def _with_loudness(audio: Audio, loudness_lufs: float) -> tuple[Audio, tuple[str, ...]]:
    """Bring it to the loudness as far as its peaks allow; nothing is limited, so that nothing is distorted."""
    measured = loudness_of(audio)
    if measured == -math.inf:
        return audio, ("loudness_lufs: the sound is silent and stays as it is",)
    wanted, room = loudness_lufs - measured, CEILING_DBTP - true_peak_of(audio)
    reached = measured + min(wanted, room)
    short = f"loudness_lufs: {loudness_lufs:g} would clip; it is {reached:.1f} LUFS with peaks at {CEILING_DBTP:g} dBTP"
    return gain(audio, min(wanted, room)), () if wanted <= room else (short,)
