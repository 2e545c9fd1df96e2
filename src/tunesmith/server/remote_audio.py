"""Audio that a request carries or links to: inside JSON, as a data URI or by URL, checked by decoding.

Text is decoded chunk by chunk, so that other threads can run in between.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tunesmith.audio.decode_check import check_sound
from tunesmith.errors import InvalidRequest
from tunesmith.server.long_text import LONG_BYTES, LongText
from tunesmith.server.ssrf_guard import AddressGuard, load_http_client

MAX_HEAD_CHARACTERS = 512
DATA = "data:"
# Four letters are three bytes, so whole blocks can be decoded on their own.
_BASE64_BLOCK = 4
# An escape such as %41, which a chunk must not cut in two.
_PERCENT = 3


def is_data_uri(text: str) -> bool:
    """Return whether a text is a data URI."""
    return text[: len(DATA)].lower() == DATA


def decode_data_uri(uri: str, field: str, max_bytes: int) -> bytes:
    """Return the content of a data URI (RFC 2397), at most ``max_bytes``. Raises InvalidRequest for ``field``."""
    # Search for the comma only in the head: the whole text may have 100 MB.
    head, comma, _ = uri[:MAX_HEAD_CHARACTERS].partition(",")
    if not comma:
        raise InvalidRequest(field, "is not a complete data URI: it has no comma")
    body = _unquoted(_without_start(_chunks(uri), len(head.encode()) + 1))
    if not head.lower().endswith(";base64"):
        return _bounded(body, field, max_bytes)
    try:
        return _bounded(_decoded(b"".join(chunk.split()) for chunk in body), field, max_bytes)
    except binascii.Error:
        raise InvalidRequest(field, "is not a data URI in base64") from None


def decode_base64(text: str, field: str, max_bytes: int) -> bytes:
    """Return the content of base64 text, at most ``max_bytes``. Raises InvalidRequest that names the field."""
    try:
        return _bounded(_decoded(_chunks(text)), field, max_bytes)
    except binascii.Error:
        raise InvalidRequest(field, "must be audio in base64, a data URI or an http(s) URL") from None


def encoded_text(text: str) -> bytes:
    """Return a text of any length in UTF-8."""
    return b"".join(_chunks(text))


def _chunks(text: str) -> Iterator[bytes]:
    if isinstance(text, LongText):
        yield from text.chunks()
        return
    for at in range(0, len(text), LONG_BYTES):
        yield text[at : at + LONG_BYTES].encode()


def _without_start(chunks: Iterator[bytes], length: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[length:]
        length = max(0, length - len(chunk))


def _unquoted(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks with percent-encoding decoded; an escape split between two chunks is decoded with the second."""
    rest = b""
    for chunk in chunks:
        chunk = rest + chunk
        at = chunk.find(b"%", max(0, len(chunk) - _PERCENT + 1))
        chunk, rest = (chunk, b"") if at < 0 else (chunk[:at], chunk[at:])
        yield unquote_to_bytes(chunk) if b"%" in chunk else chunk
    yield rest


def _decoded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the decoded base64; the padding may be missing. Raises binascii.Error."""
    rest = b""
    for chunk in chunks:
        if b"=" in rest and chunk:
            raise binascii.Error("padding before the end")
        chunk = rest + chunk
        padding = chunk.find(b"=")
        # Only whole groups of four characters can be decoded; the rest waits for the next chunk.
        end = len(chunk) // _BASE64_BLOCK * _BASE64_BLOCK if padding < 0 else padding // _BASE64_BLOCK * _BASE64_BLOCK
        yield base64.b64decode(chunk[:end], validate=True)
        rest = chunk[end:]
    if rest:
        yield base64.b64decode(rest + b"=" * (-len(rest) % _BASE64_BLOCK), validate=True)


def _bounded(chunks: Iterator[bytes], field: str, max_bytes: int) -> bytes:
    content: list[bytes] = []
    size = 0
    for chunk in chunks:
        content.append(chunk)
        size += len(chunk)
        # Check while decoding, so that too large a text does not fill the memory first.
        if size > max_bytes:
            raise InvalidRequest(field, f"must be at most {max_bytes / 1e6:g} MB")
    return b"".join(content)


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
        await load_http_client()
        import httpx

        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._read(url, field)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            # Name the exception's type only: its text could reveal the inside of the network.
            raise InvalidRequest(field, f"cannot be fetched: {type(error).__name__}") from None

    async def _read(self, url: str, field: str) -> bytes:
        import httpx

        from tunesmith.server.guarded_client import guarded_client

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
