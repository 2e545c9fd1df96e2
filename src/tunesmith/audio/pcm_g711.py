"""Raw samples of a WAV file: headerless 16-bit PCM, or the 8-bit companding of telephony (ITU-T G.711)."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

RawCoding = Literal["pcm", "ulaw", "alaw"]
FRAMES = 16_384
# Bias and clip of G.711's mu-law, on the scale of 16 bits.
ULAW_BIAS, ULAW_CLIP = 132, 32_635

Steps = npt.NDArray[np.int32]


def raw_chunks(path: Path, coding: RawCoding = "pcm") -> Iterator[bytes]:
    """Yield the samples of a 16-bit WAV file in chunks: interleaved little-endian PCM, or G.711 codes."""
    with wave.open(str(path), "rb") as file:
        while frames := file.readframes(FRAMES):
            yield frames if coding == "pcm" else _CODINGS[coding](np.frombuffer(frames, "<i2").astype(np.int32))


async def raw_live_chunks(chunks: AsyncIterator[bytes], coding: RawCoding = "pcm") -> AsyncIterator[bytes]:
    """Yield the samples of a 16-bit WAV file that comes in chunks, as ``raw_chunks`` does."""
    head, left = b"", None
    async for chunk in chunks:
        head += chunk
        if left is None and (found := _data_of(head)) is not None:
            start, left = found
            head = head[start:]
        # Tags may follow the samples.
        whole = min(len(head), left) & ~1 if left is not None else 0
        frames, head, left = head[:whole], head[whole:], None if left is None else left - whole
        if frames:
            yield frames if coding == "pcm" else _CODINGS[coding](np.frombuffer(frames, "<i2").astype(np.int32))


def _data_of(head: bytes) -> tuple[int, int] | None:
    """Return where the samples of a WAV file begin, and their length; None while the head is too short."""
    at = 12
    while len(head) >= at + 8:
        size = int.from_bytes(head[at + 4 : at + 8], "little")
        if head[at : at + 4] == b"data":
            return at + 8, size
        # Chunks are padded to even lengths.
        at += 8 + size + (size & 1)
    return None


def to_ulaw(samples: Steps) -> bytes:
    """Encode 16-bit samples in µ-law: sign, segment and step, all bits inverted."""
    # The bias makes every segment begin at a power of two; the clip keeps the sum within 15 bits.
    level = np.minimum(np.abs(samples), ULAW_CLIP) + ULAW_BIAS
    segment = np.floor(np.log2(level)).astype(np.int32) - 7
    step = level >> (segment + 3) & 15
    sign = np.where(samples < 0, 128, 0)
    return bytes((~(sign | segment << 4 | step) & 255).astype(np.uint8))


def to_alaw(samples: Steps) -> bytes:
    """Encode 16-bit samples in A-law: sign, segment and step, every second bit inverted."""
    # A-law has 13 bits. The one's complement of negative samples keeps −32768 within range.
    level = np.where(samples < 0, -samples - 1, samples) >> 3
    segment = np.maximum(np.floor(np.log2(np.maximum(level, 1))).astype(np.int32) - 4, 0)
    step = level >> np.maximum(segment, 1) & 15
    sign = np.where(samples < 0, 0, 128)
    return bytes(((sign | segment << 4 | step) ^ 0x55).astype(np.uint8))


_CODINGS: Mapping[str, Callable[[Steps], bytes]] = {"ulaw": to_ulaw, "alaw": to_alaw}
