"""Protocol Buffers by hand: the few kinds of fields of a SentencePiece model."""

from __future__ import annotations

import struct


def number_field(field: int, value: int) -> bytes:
    """Return a field with an integer."""
    return _varint(field << 3) + _varint(value)


def bytes_field(field: int, content: bytes) -> bytes:
    """Return a field with a text or a message."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def float_field(field: int, value: float) -> bytes:
    """Return a field with a float of 32 bits."""
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _varint(value: int) -> bytes:
    content = b""
    while value >= 0x80:
        content += bytes([value & 0x7F | 0x80])
        value >>= 7
    return content + bytes([value])
