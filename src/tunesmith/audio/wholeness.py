"""Wholeness: whether all of a sound file is there, by what its own header says."""

from __future__ import annotations

from tunesmith.audio.buffer import Audio

UNKNOWN_RIFF_BYTES = 0x7FFF_0000
"""Writers that do not know the size beforehand claim one like this or larger, or none."""


def is_cut_short(content: bytes, audio: Audio) -> bool:
    """Whether a WAV or FLAC file, read as ``audio``, ends before its header says; other formats do not tell."""
    if content[:4] == b"RIFF":
        claimed = int.from_bytes(content[4:8], "little")
        return 0 < claimed < UNKNOWN_RIFF_BYTES and len(content) < claimed + 8
    if content[:4] == b"fLaC" and len(content) >= 26:
        claimed = int.from_bytes(content[18:26], "big") & ((1 << 36) - 1)  # STREAMINFO's last 36 bits before the MD5
        return audio.num_samples < claimed
    return False
