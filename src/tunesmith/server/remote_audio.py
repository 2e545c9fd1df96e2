"""RemoteAudioFetcher: fetches the audio that a request links to, by URL or data URI, and checks it by decoding."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from tunesmith.audio.decode_check import check_sound
from tunesmith.errors import InvalidRequest
from tunesmith.server.inline_sound import decode_data_uri, is_data_uri
from tunesmith.server.long_text import LongText
from tunesmith.server.ssrf_guard import AddressGuard, guarded_client

MAX_REDIRECTS = 5
HEADERS = {"accept": "audio/*, */*;q=0.5", "accept-encoding": "identity"}
"""No compression: a compressed response could expand far beyond what came over the wire."""

MAX_ADDRESS_CHARACTERS = 8_192


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits of a fetch: ``bytes``, ``audio_seconds`` of sound, and ``seconds`` for the download."""

    bytes: int = 100 * 10**6
    audio_seconds: float = 1_800.0
    seconds: float = 60.0


class RemoteAudioFetcher:
    """A fetcher of the audio files that requests link to."""

    def __init__(self, guard: AddressGuard, limits: FetchLimits | None = None) -> None:
        self._guard = guard
        self._limits = limits or FetchLimits()

    async def fetch(self, source: str, field: str) -> bytes:
        """Return an audio file from a data URI or an http(s) URL. Raises InvalidRequest that names the field."""
        # Decoding and checking take long for large files, so they run in threads.
        if is_data_uri(source):
            content = await asyncio.to_thread(decode_data_uri, source, field, self._limits.bytes)
        else:
            content = await self._download(source, field)
        await asyncio.to_thread(check_sound, content, field, self._limits.audio_seconds)
        return content

    async def _download(self, url: str, field: str) -> bytes:
        if isinstance(url, LongText) or len(url) > MAX_ADDRESS_CHARACTERS:
            raise InvalidRequest(field, f"must be an address of at most {MAX_ADDRESS_CHARACTERS} characters")
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._read(url, field)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            # Name the exception's type only: its text could reveal the inside of the network.
            raise InvalidRequest(field, f"cannot be fetched: {type(error).__name__}") from None

    async def _read(self, url: str, field: str) -> bytes:
        content: list[bytes] = []
        size = 0
        client = guarded_client(self._guard, field, self._limits.seconds, MAX_REDIRECTS)
        async with client, client.stream("GET", url, headers=HEADERS) as response:
            if response.status_code != httpx.codes.OK:
                raise InvalidRequest(field, f"cannot be fetched: its server answered {response.status_code}")
            # Stop at the limit: the Content-Length header of a stranger proves nothing.
            async for chunk in response.aiter_raw():
                content.append(chunk)
                size += len(chunk)
                if size > self._limits.bytes:
                    raise _too_large(field, self._limits.bytes)
        return await asyncio.to_thread(b"".join, content)


def _too_large(field: str, max_bytes: int) -> InvalidRequest:
    return InvalidRequest(field, f"must be at most {max_bytes / 1e6:g} MB")
