"""Fetcher: the sound that a request points to (a web address, a data URI), as bytes that were checked by decoding."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import httpx

from tunesmith.errors import InvalidRequest
from tunesmith.server.outgoing import Guard, guarded_client

MAX_REDIRECTS = 5
HEADERS = {"accept": "audio/*, */*;q=0.5", "accept-encoding": "identity"}
"""Sounds are fetched as they are: packed ones could be far larger than what came over the wire."""

KNOWN = "is not a sound file that can be read (WAV, AIFF, FLAC, MP3, Ogg, Opus; with FFmpeg M4A, WebM, 3GP, AMR, WMA)"
MAX_CHANNELS = 8
SAMPLES_A_SECOND = 2 * 48_000
"""What the longest sound may hold: that of stereo at 48 kHz; packed silence of many channels fits into few bytes."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much is fetched: ``bytes`` at most, ``audio_seconds`` of sound, within ``seconds``."""

    bytes: int = 100 * 10**6
    audio_seconds: float = 1_800.0
    seconds: float = 60.0


class Fetcher:
    """Fetches the sound files that requests point to."""

    def __init__(self, guard: Guard, limits: FetchLimits | None = None) -> None:
        self._guard = guard
        self._limits = limits or FetchLimits()

    async def fetch(self, source: str, field: str) -> bytes:
        """Return a sound file from a data URI or an http(s) address; raises InvalidRequest that names the field."""
        if source[:5].lower() == "data:":
            content = data_uri_content(source, field, self._limits.bytes)
        else:
            content = await self._download(source, field)
        await asyncio.to_thread(check_sound, content, field, self._limits.audio_seconds)
        return content

    async def _download(self, url: str, field: str) -> bytes:
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._read(url, field)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise InvalidRequest(field, f"cannot be fetched: {type(error).__name__}") from None

    async def _read(self, url: str, field: str) -> bytes:
        content = bytearray()
        client = guarded_client(self._guard, field, self._limits.seconds, MAX_REDIRECTS)
        async with client, client.stream("GET", url, headers=HEADERS) as response:
            if response.status_code != httpx.codes.OK:
                raise InvalidRequest(field, f"cannot be fetched: its server answered {response.status_code}")
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > self._limits.bytes:
                    raise _too_large(field, self._limits.bytes)
        return bytes(content)


def data_uri_content(uri: str, field: str, max_bytes: int) -> bytes:
    """Return what a data URI (RFC 2397) holds; raises InvalidRequest."""
    head, comma, body = uri.partition(",")
    if not comma:
        raise InvalidRequest(field, "is not a complete data URI: it has no comma")
    if len(body) > 3 * max_bytes:
        raise _too_large(field, max_bytes)
    raw = unquote_to_bytes(body)
    if head.lower().endswith(";base64"):
        try:
            raw = base64.b64decode(b"".join(raw.split()) + b"=" * (-len(raw) % 4), validate=True)
        except binascii.Error:
            raise InvalidRequest(field, "is not a data URI in base64") from None
    if len(raw) > max_bytes:
        raise _too_large(field, max_bytes)
    return raw


def check_sound(content: bytes, field: str, max_seconds: float) -> None:
    """Raise InvalidRequest unless the bytes decode to their end as sound of at most so many seconds.

    Headers are not believed: all of it is decoded, block by block, until a limit is passed.
    """
    from tunesmith.audio.decoder import DecodeError, Decoder, LimitExceeded, NotASound, SoundLimits

    limits = SoundLimits(MAX_CHANNELS, max_seconds, max_seconds * SAMPLES_A_SECOND)
    try:
        with Decoder(io.BytesIO(content), limits) as sound:
            decoded = sum(block.shape[1] for block in sound.blocks())
    except LimitExceeded as error:
        raise InvalidRequest(field, str(error)) from None
    except NotASound as error:
        raise InvalidRequest(field, f"is not a sound that can be used: {error}") from None
    except DecodeError:
        raise InvalidRequest(field, KNOWN) from None
    if not decoded:
        raise InvalidRequest(field, "has no sound in it")


def _too_large(field: str, max_bytes: int) -> InvalidRequest:
    return InvalidRequest(field, f"must be at most {max_bytes / 1e6:g} MB")
