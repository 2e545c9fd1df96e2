"""Encoding of a sound that is still being made: bytes in the order of the file, final as they come.

A file on disk gets its length and its tags at the end, so the stream differs from the file there: WAV states the length
that is known beforehand, MP3 states no encoder delay, Ogg and FLAC leave the length open.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator

import numpy as np

from tunesmith.audio.formats import FORMATS
from tunesmith.audio.mp3_frames import frame_at, info_frame
from tunesmith.audio.resample import resample_blocks
from tunesmith.audio.resampled_length import resampled_length
from tunesmith.audio.speaker_layout import to_vorbis
from tunesmith.audio.spool import Samples
from tunesmith.audio.writer import DITHER_SEED, frames_of_blocks, to_int16

# RIFF, a fmt chunk of 16 bytes, and the head of the data chunk.
WAV_HEADER_BYTES, BYTES_A_SAMPLE = 44, 2
# A RIFF size has 32 bits.
LARGEST_SIZE = 0xFFFF_FFFF
FLAC_TOTAL_AT, FLAC_TOTAL_BYTES = 21, 5
"""The place of the number of samples, 36 bits, in the first block of a FLAC."""

MP3_DELAY = 1_105 + 1_152
"""Samples that an MP3 has more than the sound: the encoder's delay, and those of its last frame."""


def encoded_bytes(suffix: str, channels: int, num_samples: int) -> int | None:
    """Return the length in bytes of ``encoded_stream``'s result, None where it is known only at the end."""
    if suffix != ".wav":
        return None
    return WAV_HEADER_BYTES + num_samples * channels * BYTES_A_SAMPLE


def encoded_stream(
    blocks: Iterable[Samples], suffix: str, sample_rate: int, channels: int, num_samples: int
) -> Iterator[bytes]:
    """Yield the bytes of a file in the format of ``suffix`` as soon as the blocks, (channels, n), give them.

    The samples have 16 bits where the format has a choice. ``num_samples`` is the length of all blocks.
    """
    target = FORMATS[suffix]
    rate = target.sample_rate(sample_rate)
    order = to_vorbis(channels) if target.container == "OGG" else None
    dither = np.random.Generator(np.random.PCG64(DITHER_SEED))
    frames = frames_of_blocks(resample_blocks(blocks, channels, sample_rate, rate), order)
    if suffix == ".wav":
        # With the first samples, so that the first bytes of a stream are sound.
        head = wav_header(rate, channels, resampled_length(num_samples, sample_rate, rate))
        for block in frames:
            yield head + to_int16(block, dither).tobytes()
            head = b""
        return
    subtype = target.subtypes[0] if 0 in target.subtypes else target.subtypes[16]
    pieces = _compressed(frames, target.container, subtype, rate, channels)
    length = resampled_length(num_samples, sample_rate, rate)
    if suffix == ".mp3":
        pieces = _with_count(pieces, length)
    elif suffix == ".flac":
        pieces = _with_total(pieces, length)
    yield from pieces


def wav_header(sample_rate: int, channels: int, num_samples: int) -> bytes:
    """Return the header of a 16-bit WAV file; beyond 4 GB it states the largest length."""
    frame = channels * BYTES_A_SAMPLE
    size = min(num_samples * frame, LARGEST_SIZE - WAV_HEADER_BYTES)
    about = struct.pack("<HHIIHH", 1, channels, sample_rate, sample_rate * frame, frame, 8 * BYTES_A_SAMPLE)
    return b"".join((
        b"RIFF", struct.pack("<I", size + WAV_HEADER_BYTES - 8), b"WAVEfmt ", struct.pack("<I", len(about)), about,
        b"data", struct.pack("<I", size),
    ))  # fmt: skip


class _AppendedBytes:
    """A file for libsndfile that keeps only what is appended; what replaces earlier bytes is lost."""

    def __init__(self) -> None:
        self._new = bytearray()
        self._at = self._end = 0

    def take(self) -> bytes:
        """Return the bytes that were appended since the last call."""
        taken, self._new = bytes(self._new), bytearray()
        return taken

    def write(self, content: bytes) -> int:
        size = len(content)
        self._new += content[max(0, self._end - self._at) :]
        self._at += size
        self._end = max(self._end, self._at)
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, _: int = -1) -> bytes:
        return b""


def _compressed(
    frames: Iterable[Samples], container: str, subtype: str, sample_rate: int, channels: int
) -> Iterator[bytes]:
    import soundfile

    file = _AppendedBytes()
    dither = np.random.Generator(np.random.PCG64(DITHER_SEED))
    with soundfile.SoundFile(file, "w", sample_rate, channels, subtype, format=container) as sound:
        for block in frames:
            sound.write(to_int16(block, dither) if subtype == "PCM_16" else block)
            # Out of soundfile's buffer, so that a listener gets it now.
            sound.flush()
            if new := file.take():
                yield new
    if rest := file.take():
        yield rest


def _with_count(pieces: Iterable[bytes], num_samples: int) -> Iterator[bytes]:
    """Replace the first frame of an MP3, which the encoder fills in at the end, by one that states the length now."""
    begun, head = False, b""
    for piece in pieces:
        if begun:
            yield piece
            continue
        head += piece
        first = frame_at(head, 0)
        if first is not None and len(head) >= first.size:
            begun = True
            yield info_frame(first, -(-(num_samples + MP3_DELAY) // first.samples)) + head[first.size :]


def _with_total(pieces: Iterable[bytes], num_samples: int) -> Iterator[bytes]:
    """State the number of samples in the header of a FLAC, which the encoder does at the end."""
    begun, head = False, b""
    for piece in pieces:
        head += piece
        if begun or len(head) >= FLAC_TOTAL_AT + FLAC_TOTAL_BYTES:
            yield head if begun else _flac_head(head, num_samples)
            begun, head = True, b""


def _flac_head(head: bytes, num_samples: int) -> bytes:
    end = FLAC_TOTAL_AT + FLAC_TOTAL_BYTES
    # The upper four bits of the first byte belong to the bit depth.
    total = int.from_bytes(head[FLAC_TOTAL_AT:end], "big") | num_samples
    return head[:FLAC_TOTAL_AT] + total.to_bytes(FLAC_TOTAL_BYTES, "big") + head[end:]
