"""What a service answers with, as sound: files of any format by their content, or JSON that holds or names one."""

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
"""Fields of JSON that hold a sound, or where it is, in the order in which they are looked for."""
RATES = ("sampling_rate", "sample_rate", "samplingRate")
USUAL_RATE = 32_000
"""MusicGen's, for handlers that give samples and do not say their rate, Hz."""
LEAST_SAMPLES = 100
LIMITS = SoundLimits(channels=8, seconds=MAX_DURATION_SECONDS + 60)


class InvalidAudioResponse(Exception):
    """The answer is not a whole sound."""


def suffix_of(content: bytes) -> str | None:
    """Return the suffix of the format that the content is in, whatever it is called; None where it is no sound."""
    for start, suffix in STARTS:
        if content.startswith(start):
            return suffix
    if media_kind(content[:16]):
        return ".m4a"
    is_mp3 = len(content) > 2 and content[0] == 0xFF and content[1] & 0xE6 in (0xE2, 0xE4, 0xE6)
    return ".mp3" if is_mp3 else None


def read_sound(content: bytes) -> Audio:
    """Read a sound file; raises Unsound for one that is no sound, damaged, or not all there."""
    suffix = suffix_of(content)
    if suffix is None:
        what = "an empty answer came" if not content else "what came is not a sound"
        raise InvalidAudioResponse(what)
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
        path = Path(folder) / f"hosted{suffix}"
        path.write_bytes(content)
        try:
            audio = read_audio(path, LIMITS)
        except AudioFileError:
            raise InvalidAudioResponse("the sound that came is damaged") from None
        if not audio.num_samples:
            raise InvalidAudioResponse("the sound that came is empty")
        if is_truncated(path, audio.num_samples):
            raise InvalidAudioResponse("the sound that came is cut short")
    return Audio(audio.samples, audio.sample_rate)


def sound_in(content: bytes) -> Audio | str:
    """Return the sound that an answer is or holds, or the address where it is; raises Unsound."""
    if suffix_of(content):
        return read_sound(content)
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return read_sound(content)
    return _held(body, None)


def data_of(uri: str) -> bytes:
    """Return what a ``data:`` address holds; raises Unsound."""
    head, comma, payload = uri.partition(",")
    if not comma:
        raise InvalidAudioResponse("what came is not a sound")
    return _decoded(payload) if head.endswith(";base64") else unquote_to_bytes(payload)


def _held(body: Any, rate: int | None) -> Audio | str:
    if isinstance(body, Mapping):
        said = next((body[name] for name in RATES if isinstance(body.get(name), int)), rate)
        held = next((body[name] for name in HOLDERS if body.get(name)), None)
        if held is not None:
            return _held(held, said)
    if isinstance(body, str):
        if body.startswith(("https://", "http://")):
            return body
        return read_sound(data_of(body) if body.startswith("data:") else _decoded(body))
    if isinstance(body, list) and body:
        return _held(body[0], rate) if isinstance(body[0], Mapping | str) else _samples(body, rate or USUAL_RATE)
    raise InvalidAudioResponse("what came is JSON without a sound")


def _samples(numbers: list[Any], rate: int) -> Audio:
    """Read samples as lists of numbers: of one channel, of several, or of a batch of one."""
    try:
        samples = np.asarray(numbers, dtype=np.float32)
    except (ValueError, TypeError):
        raise InvalidAudioResponse("what came is JSON without a sound") from None
    while samples.ndim > 2:
        samples = samples[0]
    samples = np.atleast_2d(samples)
    samples = samples.T if samples.shape[0] > samples.shape[1] else samples
    if samples.shape[0] > 2 or samples.shape[1] < LEAST_SAMPLES or not np.isfinite(samples).all():
        raise InvalidAudioResponse("what came is JSON without a sound")
    return Audio(np.ascontiguousarray(samples), rate)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidAudioResponse("what came is JSON without a sound") from None
