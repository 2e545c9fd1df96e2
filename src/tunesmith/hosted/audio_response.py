"""Audio in a service's response: a file of any format, or JSON that holds or names one."""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.decoder import SoundLimits
from tunesmith.audio.media import media_kind
from tunesmith.audio.reader import read_audio
from tunesmith.audio.truncation import is_truncated
from tunesmith.errors import AudioFileError
from tunesmith.request import MAX_DURATION_SECONDS

STARTS = (
    (b"RIFF", ".wav"),
    (b"RF64", ".wav"),
    (b"BW64", ".wav"),
    (b"fLaC", ".flac"),
    (b"OggS", ".ogg"),
    (b"ID3", ".mp3"),
    (b"FORM", ".aiff"),
)
HOLDERS = ("blob", "generated_audio", "audio", "array", "output", "url", "data", "content")
"""JSON fields that hold audio or its URL, in order of preference."""
RATES = ("sampling_rate", "sample_rate", "samplingRate")
USUAL_RATE = 32_000
"""The sample rate in Hz of samples without a stated rate: MusicGen's."""
LEAST_SAMPLES = 100
LIMITS = SoundLimits(channels=8, seconds=MAX_DURATION_SECONDS + 60)


class InvalidAudioResponse(Exception):
    """The response is not complete, valid audio."""


def suffix_of(content: bytes) -> str | None:
    """Return the suffix of the format by content, whatever the declared type; None if it is not audio."""
    for start, suffix in STARTS:
        if content.startswith(start):
            return suffix
    if media_kind(content[:16]):
        return ".m4a"
    # An MPEG frame has no magic number, only a sync word and a layer.
    is_mp3 = len(content) > 2 and content[0] == 0xFF and content[1] & 0xE6 in (0xE2, 0xE4, 0xE6)
    return ".mp3" if is_mp3 else None


def read_sound(content: bytes) -> Audio:
    """Read an audio file. Raises InvalidAudioResponse if it is not audio, damaged or truncated."""
    suffix = suffix_of(content)
    if suffix is None:
        what = "the response is empty" if not content else "the response is not audio"
        raise InvalidAudioResponse(what)
    # The decoders choose the format by the suffix and read from files.
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
        path = Path(folder) / f"hosted{suffix}"
        path.write_bytes(content)
        try:
            audio = read_audio(path, LIMITS)
        except AudioFileError:
            raise InvalidAudioResponse("the returned audio is damaged") from None
        if not audio.num_samples:
            raise InvalidAudioResponse("the returned audio is empty")
        # A broken connection can end a file early and still leave a decodable start.
        if is_truncated(path, audio.num_samples):
            raise InvalidAudioResponse("the returned audio is truncated")
    # Drop the service's tags: the generator writes its own metadata.
    return Audio(audio.samples, audio.sample_rate)


def sound_in(content: bytes) -> Audio | str:
    """Return the audio that a response holds, or the URL it names. Raises InvalidAudioResponse."""
    if suffix_of(content):
        return read_sound(content)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return read_sound(content)
    return _held(body, None)


def data_of(uri: str) -> bytes:
    """Return the content of a ``data:`` URL. Raises InvalidAudioResponse."""
    head, comma, payload = uri.partition(",")
    if not comma:
        raise InvalidAudioResponse("the response is not audio")
    return _decoded(payload) if head.endswith(";base64") else unquote_to_bytes(payload)


def _held(body: Any, rate: int | None) -> Audio | str:
    if isinstance(body, Mapping):
        stated = next((body[name] for name in RATES if isinstance(body.get(name), int)), rate)
        held = next((body[name] for name in HOLDERS if body.get(name)), None)
        if held is not None:
            return _held(held, stated)
    if isinstance(body, str):
        if body.startswith(("https://", "http://")):
            return body
        return read_sound(data_of(body) if body.startswith("data:") else _decoded(body))
    if isinstance(body, list) and body:
        return _held(body[0], rate) if isinstance(body[0], Mapping | str) else _samples(body, rate or USUAL_RATE)
    raise InvalidAudioResponse("the response is JSON without audio")


def _samples(numbers: list[Any], rate: int) -> Audio:
    """Read samples as lists of numbers: mono, (channels, samples) or (samples, channels), or a batch of one."""
    try:
        samples = np.asarray(numbers, dtype=np.float32)
    except (ValueError, TypeError):
        raise InvalidAudioResponse("the response is JSON without audio") from None
    while samples.ndim > 2:
        samples = samples[0]
    samples = np.atleast_2d(samples)
    # The longer axis is time, whatever the layout.
    samples = samples.T if samples.shape[0] > samples.shape[1] else samples
    if samples.shape[0] > 2 or samples.shape[1] < LEAST_SAMPLES or not np.isfinite(samples).all():
        raise InvalidAudioResponse("the response is JSON without audio")
    return Audio(np.ascontiguousarray(samples), rate)


def _decoded(text: str) -> bytes:
    try:
        # Some services break base64 into lines.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidAudioResponse("the response is JSON without audio") from None
